"""Multiaddrs: which ones we dial and listen on, and what they stand for.

`Multiaddr` is imported from here: the library has no types, and this is the place that says so.

Spec: https://github.com/multiformats/multiaddr
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from libp2p.utils.address_validation import get_available_interfaces
from multiaddr import Multiaddr as Multiaddr  # type: ignore[import-untyped]
from multiaddr.exceptions import Error as MultiaddrError  # type: ignore[import-untyped]

from peershelf.protocols.errors import InvalidAddress
from peershelf.protocols.transport import PeerId

IP_NAMES = ("ip4", "ip6")
DNS_NAMES = ("dns", "dns4", "dns6")
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Target:
    """A peer and where it is said to be: an IP address or name with a TCP port, or a /dnsaddr name.

    WebSocket may be spoken on that port.
    """

    peer: PeerId
    where: Multiaddr


def parse_target(text: str) -> Target:
    """Read an address to dial, such as /ip4/192.0.2.1/tcp/4001/p2p/12D3Koo…

    Accepts /ip4, /ip6, /dns, /dns4, /dns6 with /tcp or /tcp and /ws, and /dnsaddr alone, each ending in
    /p2p/ID.
    Raises InvalidAddress.
    """
    address = _parse(text)
    names = [protocol.name for protocol in address.protocols()]
    if "p2p" not in names:
        raise InvalidAddress(f"{shown(text)} does not say which peer: append /p2p/ and the peer ID")
    if names[-1] != "p2p" or names.count("p2p") > 1 or not _dialable(names[:-1]):
        raise InvalidAddress(
            f"{shown(text)} cannot be dialed: only /tcp addresses and /ws over them can, without a relay"
        )
    peer = str(address.value_for_protocol("p2p"))
    return Target(PeerId(peer), address.decapsulate(Multiaddr(f"/p2p/{peer}")))


def peer_of(address: str) -> PeerId:
    """Return the peer that an address to dial names. Raises InvalidAddress."""
    return parse_target(address).peer


def usable_targets(peer: PeerId, texts: Iterable[str]) -> list[Target]:
    """Return those of a peer's addresses that can be dialed, each once; they may lack the /p2p/ID at the end.

    Others are left out without a word: peers announce all that they have, QUIC and relays too.
    """
    found: dict[Target, None] = {}
    for text in texts:
        with suppress(InvalidAddress):
            target = parse_target(text if "/p2p/" in text else f"{text}/p2p/{peer}")
            if target.peer == peer:
                found[target] = None
    return list(found)


def parse_listen(text: str) -> Multiaddr:
    """Read an address to listen on, such as /ip4/0.0.0.0/tcp/4001, maybe with /ws. Raises InvalidAddress."""
    address = _parse(text)
    if not (is_tcp(address) or is_websocket(address)):
        raise InvalidAddress(f"{shown(text)} cannot be listened on: it is not /ip4 or /ip6 with /tcp")
    return address


def is_tcp(address: Multiaddr) -> bool:
    """Tell whether `address` is an IP address and a TCP port, perhaps with a peer ID, and nothing else."""
    names = _names_before_peer(address)
    return len(names) == 2 and names[0] in IP_NAMES and names[1] == "tcp"


def is_websocket(address: Multiaddr) -> bool:
    """Tell whether `address` is an IP address, a TCP port and /ws, perhaps with a peer ID."""
    names = _names_before_peer(address)
    return len(names) == 3 and names[0] in IP_NAMES and names[1:] == ["tcp", "ws"]


def _names_before_peer(address: Multiaddr) -> list[str]:
    names = [protocol.name for protocol in address.protocols()]
    return names[:-1] if names[-1:] == ["p2p"] else names


def endpoint(address: Multiaddr) -> tuple[socket.AddressFamily, str, int]:
    """Return socket family, host and port of an address for which is_tcp() or is_websocket() holds."""
    (ip, host), (_, port) = list(address.items())[:2]
    family = socket.AF_INET if ip.name == "ip4" else socket.AF_INET6
    return family, str(host), int(str(port))


def expand(bound: Multiaddr) -> list[Multiaddr]:
    """Return the concrete addresses of a bound one: a wildcard host becomes each interface's address."""
    family, host, port = endpoint(bound)
    if host not in ("0.0.0.0", "::"):  # noqa: S104 -- compared, not bound
        return [bound]
    found = [one for one in get_available_interfaces(port) if endpoint(one)[0] == family]
    return [one.encapsulate(Multiaddr("/ws")) for one in found] if is_websocket(bound) else found


def shown(text: str) -> str:
    """Return a stranger's or user's text fit for one line of an error message."""
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")


def _parse(text: str) -> Multiaddr:
    try:
        address = Multiaddr(text)
        address.to_bytes()
        protocols = list(address.protocols())
    except (MultiaddrError, ValueError, TypeError) as error:
        raise InvalidAddress(f"{shown(text)} is not a multiaddr such as /ip4/192.0.2.1/tcp/4001") from error
    if not protocols:
        raise InvalidAddress("the address is empty")
    return address


def _dialable(names: list[str]) -> bool:
    if names in ([], ["dnsaddr"]):
        return bool(names)
    return names[0] in IP_NAMES + DNS_NAMES and names[1:] in (["tcp"], ["tcp", "ws"])
