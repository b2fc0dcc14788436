"""Multiaddrs in their bytes, as far as one has to look into those of strangers.

Thousands of them pass through a search, and few are dialed: only these are turned into text.
https://github.com/multiformats/multiaddr
"""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from multiaddr import Multiaddr  # type: ignore[import-untyped]

_IP4, _IP6 = 0x04, 0x29
_NAMES = (0x35, 0x36, 0x37, 0x38)
"""dns, dns4, dns6, dnsaddr."""


def ip_of(address: bytes) -> IPv4Address | IPv6Address | None:
    """Return the IP address that a multiaddr begins with, if it begins with one."""
    if len(address) >= 5 and address[0] == _IP4:
        return IPv4Address(address[1:5])
    if len(address) >= 17 and address[0] == _IP6:
        return IPv6Address(address[1:17])
    return None


@lru_cache(maxsize=1_024)
def address_group(host: str) -> str:
    """Return what counts as one IP address, since no customer gets less: one of IPv4, or a /64 of IPv6."""
    ip = ip_address(host)
    return host if ip.version == 4 else str(ip_network((ip, 64), strict=False))


def is_public(address: bytes) -> bool:
    """Whether a multiaddr may be reached from anywhere: a global IP address, or a name."""
    ip = ip_of(address)
    if ip is None:
        return bool(address) and address[0] in _NAMES
    return ip.is_global and not ip.is_multicast


def is_global(host: str) -> bool | None:
    """Whether an IP address, as text, is the same for everybody; None for what is none.

    An IPv4 address in its IPv6 form is what the IPv4 address is.
    """
    try:
        ip = ip_address(host)
    except ValueError:
        return None
    mapped = ip.ipv4_mapped if isinstance(ip, IPv6Address) else None
    return (mapped or ip).is_global


def may_be_told(address: bytes, peer: bytes) -> bool:
    """Whether a peer that is at `peer` has any use for one of our addresses, and any business knowing it.

    Loopback addresses are for this machine, private ones for who comes from a private network.
    """
    ours, theirs = ip_of(address), ip_of(peer)
    if ours is None or theirs is None or is_public(address):
        return True
    return theirs.is_loopback or (not ours.is_loopback and not is_public(peer))


def network_of(address: bytes) -> str | None:
    """Return the network that a public address is in: a /16, a /32, or that of all names; None for others.

    A name costs nothing and may lead anywhere, so those that have nothing else count as one network.
    """
    if address and address[0] in _NAMES:
        return "names"
    ip = ip_of(address)
    if ip is None or not ip.is_global:
        return None
    return ip.packed[: 2 if ip.version == 4 else 4].hex()


def texts(addresses: tuple[bytes, ...]) -> tuple[str, ...]:
    """Return multiaddrs as text; those that are none are left out."""
    found: list[str] = []
    for address in addresses:
        # The library raises errors of many kinds at what strangers send.
        with suppress(Exception):
            found.append(str(Multiaddr(address)))
    return tuple(found)


def from_text(text: str) -> bytes | None:
    """Return a multiaddr in its bytes; None for text that is none."""
    with suppress(Exception):
        return bytes(Multiaddr(text).to_bytes())
    return None


def canonical(text: str) -> str | None:
    """Return a multiaddr in the one form that everybody writes; None for text that is none."""
    with suppress(Exception):
        return str(Multiaddr(text))
    return None
