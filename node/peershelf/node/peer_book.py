"""Which peers could be reached lately, and where. Knows no files and no sockets."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Sequence
from typing import Any

from peershelf.node.errors import UsageError
from peershelf.node.peer_addresses import parse_peer_address
from peershelf.protocols.transport import PeerId

MOST_PEERS = 500
MOST_ADDRESSES = 4
"""Of one peer."""


class PeerBook:
    """At most MOST_PEERS peers, of which the one that was reached longest ago is forgotten first.

    An address on this machine is kept only for a peer that has no other: after a restart somebody else may
    have that port.
    """

    def __init__(self) -> None:
        self._peers: dict[PeerId, list[str]] = {}
        self.changed = False
        """Whether there is something that encode() has not returned yet."""

    def __len__(self) -> int:
        return len(self._peers)

    def reached(self, peer: PeerId, address: str) -> None:
        """`peer` was reached at `address`, such as /ip4/192.0.2.1/tcp/4001, just now."""
        before = self._peers.pop(peer, [])
        ways = [address, *(way for way in before if way != address)]
        elsewhere = [way for way in ways if not _is_loopback(way)]
        self._peers[peer] = (elsewhere or ways)[:MOST_ADDRESSES]
        if len(self._peers) > MOST_PEERS:
            del self._peers[next(iter(self._peers))]
        self.changed = True

    def addresses_of(self, peer: PeerId) -> Sequence[str]:
        """Where `peer` was reached, the last good address first; () for somebody unknown."""
        return tuple(self._peers.get(peer, ()))

    def put_below(self, older: PeerBook) -> None:
        """Take in the peers of a book that was kept before this one; they were reached longer ago."""
        unknown = {peer: ways for peer, ways in older._peers.items() if peer not in self._peers}
        kept = [*unknown.items(), *self._peers.items()][-MOST_PEERS:]
        self._peers = dict(kept)

    def newest(self) -> list[tuple[PeerId, Sequence[str]]]:
        """The peers, those first that were reached last, with their addresses, the last good one first."""
        return list(reversed(self._peers.items()))

    def encode(self) -> bytes:
        """The whole book as text."""
        self.changed = False
        entries = [{"ID": peer, "Addrs": ways} for peer, ways in self._peers.items()]
        return json.dumps({"Peers": entries}, indent=1).encode()

    @classmethod
    def decode(cls, data: bytes) -> PeerBook:
        """Read what encode() wrote; whatever makes no sense in it is left out."""
        book = cls()
        try:
            for entry in json.loads(data)["Peers"]:
                book._read(entry)
        except (ValueError, KeyError, TypeError, RecursionError):
            pass  # a book can be lost without harm
        book.changed = False
        return book

    def _read(self, entry: Any) -> None:
        for way in reversed(entry["Addrs"]):
            try:
                address = parse_peer_address(f"{way}/p2p/{entry['ID']}")
            except UsageError:
                continue
            self.reached(address.peer, address.where)


def _is_loopback(address: str) -> bool:
    _, family, host, *_ = address.split("/")
    return family in ("ip4", "ip6") and ipaddress.ip_address(host).is_loopback
