"""Addresses that a host has nothing to do with: neither taken in from there nor dialed.

A mask is written as Kubo does, /ip4/10.0.0.0/ipcidr/8 or /ip6/fd00::/ipcidr/8. An IPv4 address is the same in
its IPv6 form, ::ffff:10.0.0.1, on either side of the comparison.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from peershelf.protocols.errors import DialFailed, LocalProtocolError

_SHOWN = 80
_MAPPED = IPv6Network("::ffff:0:0/96")
_MAPPED_BITS = 96


class InvalidMask(LocalProtocolError, ValueError):
    """Text that is no mask of addresses."""


class Mask:
    """A network of addresses. Bits beyond its length mean nothing: 10.1.2.3/8 is 10.0.0.0/8."""

    def __init__(self, text: str) -> None:
        """Raises InvalidMask, whose one line says how a mask is written."""
        match text.split("/"):
            case ["", "ip4" | "ip6" as family, host, "ipcidr", bits] if bits.isascii() and bits.isdecimal():
                self._network = _network(family, host, bits, text)
            case _:
                raise _invalid(text)

    def __str__(self) -> str:
        network = self._network
        return f"/ip{network.version}/{network.network_address}/ipcidr/{network.prefixlen}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mask) and self._network == other._network

    def __hash__(self) -> int:
        return hash(self._network)

    def __contains__(self, host: str) -> bool:
        """Whether an IP address is of this network."""
        return _unmapped(ip_address(host)) in self._network


def _network(family: str, host: str, bits: str, text: str) -> IPv4Network | IPv6Network:
    try:
        network = ip_network(f"{host}/{bits}", strict=False)
    except ValueError:
        raise _invalid(text) from None
    if family != f"ip{network.version}" or "%" in host:
        raise _invalid(text)
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        start = network.network_address.ipv4_mapped
        return IPv4Network((start or 0, network.prefixlen - _MAPPED_BITS))
    return network


def _invalid(text: str) -> InvalidMask:
    return InvalidMask(
        f"{text[:_SHOWN]!a} is no mask; write one as /ip4/10.0.0.0/ipcidr/8 or /ip6/fd00::/ipcidr/8"
    )


def _unmapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


class AddressFilters:
    """The masks in force, in the order in which they came."""

    def __init__(self, masks: Iterable[Mask] = ()) -> None:
        self._masks = dict.fromkeys(masks)

    def __iter__(self) -> Iterator[Mask]:
        return iter(list(self._masks))

    def add(self, masks: Iterable[Mask]) -> None:
        """Filter what is in these masks, too."""
        self._masks.update(dict.fromkeys(masks))

    def remove(self, masks: Iterable[Mask]) -> None:
        """Take masks out; unknown ones are no mistake."""
        for mask in masks:
            self._masks.pop(mask, None)

    def blocking(self, host: str) -> Mask | None:
        """Return the first mask that an IP address is in; None where it is in none."""
        return next((mask for mask in self._masks if host in mask), None)

    def check_dial(self, host: str) -> None:
        """Raises DialFailed, which names the mask, for an IP address that must not be dialed."""
        mask = self.blocking(host)
        if mask is not None:
            raise DialFailed(f"filtered by {mask}, see `node swarm filters`")
