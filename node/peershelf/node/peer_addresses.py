"""Reading addresses that say which peer and where, without py-libp2p, which costs a second to import."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from peershelf.node.errors import UsageError
from peershelf.node.peer_ids import parse_peer_id
from peershelf.node.setting_checks import is_tcp_address
from peershelf.protocols.transport import PeerId

_NAME = r"[^/\s\x00-\x1f]{1,253}"
_BY_NAME = re.compile(rf"/dnsaddr/{_NAME}|/dns[46]?/{_NAME}/tcp/(\d{{1,5}})(/ws)?", re.ASCII)
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class PeerAddress:
    """A peer and where it is said to be."""

    peer: PeerId
    where: str
    """An IP address or name with a TCP port and perhaps /ws, or a /dnsaddr name."""

    def __str__(self) -> str:
        return f"{self.where}/p2p/{self.peer}"


def parse_peer_address(text: str) -> PeerAddress:
    """Read an address such as /ip4/192.0.2.1/tcp/4001/p2p/12D3Koo… or /dnsaddr/example.org/p2p/12D3Koo….

    Raises UsageError, whose one line says what is missing.
    """
    where, marker, peer = text.rpartition("/p2p/")
    shown = ascii(text[:_SHOWN])
    if not marker:
        raise UsageError(f"{shown} does not say which peer: append /p2p/ and the peer ID")
    identity = parse_peer_id(peer)
    if not (is_tcp_address(where) or _is_by_name(where)):
        raise UsageError(f"{shown} cannot be dialed: write one as /ip4/192.0.2.1/tcp/4001/p2p/12D3Koo…")
    return PeerAddress(identity, where)


def by_peer(addresses: Iterable[PeerAddress]) -> dict[PeerId, list[str]]:
    """The addresses grouped by their peer, each once, in the order given."""
    peers: dict[PeerId, dict[str, None]] = {}
    for address in addresses:
        peers.setdefault(address.peer, {})[str(address)] = None
    return {peer: list(ways) for peer, ways in peers.items()}


def _is_by_name(where: str) -> bool:
    match = _BY_NAME.fullmatch(where)
    return match is not None and int(match[1] or 0) < 65_536
