"""What every way of finding has in common. Results are pushed, so that a search can be cancelled anywhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from peershelf.blockstore.cid import Cid
from peershelf.protocols import transport
from peershelf.protocols.routing.records.value import Value
from peershelf.protocols.transport import PeerId


@dataclass(frozen=True, slots=True)
class PeerInfo:
    """A peer, and where it is said to be reached: multiaddrs without the peer ID. Nothing of it is proven."""

    peer: PeerId
    addresses: tuple[str, ...] = ()


Found = Callable[[PeerInfo], None]
"""Is told of each peer as it is found, maybe more than once and with other addresses; must not block."""


FoundValue = Callable[[Value], None]
"""Is told of each value that is better than those before; must not block."""


Observe = Callable[[str], None]
"""Is told in a word or two what came of asking each peer, for who wants to know why nothing was found."""


def ignore(outcome: str) -> None:
    """Observe nothing."""


class Router(Protocol):
    """Searches take as long as they take: whoever asks bounds them. They raise nothing."""

    @property
    def name(self) -> str:
        """What this is called towards users."""

    async def find_providers(self, cid: Cid, found: Found, observe: Observe = ignore) -> int:
        """Search for peers that have a block, until nobody is left to ask. Returns how many were asked."""

    async def find_peer(self, peer: PeerId, found: Found) -> int:
        """Search for where a peer is, until nobody is left to ask. Returns how many were asked."""

    async def provide(self, keys: Sequence[bytes]) -> int:
        """Announce that this node has blocks, by their multihashes. Returns how many notes were taken."""

    async def get_value(self, key: bytes, found: FoundValue, observe: Observe = ignore) -> int:
        """Search for the value of a key, which is /NAMESPACE/NAME in bytes. Returns how many were asked.

        `found` is told of valid values alone, each of a greater rank than those before: the last is the best.
        """

    async def put_value(self, key: bytes, value: Value, found: FoundValue) -> int:
        """Leave a value for others, and tell `found` of a better one. Returns how many have taken it."""


class Network(transport.Network, Protocol):
    """Connections that can be made, for those who search."""

    def own_addresses(self) -> Sequence[bytes]:
        """Multiaddrs at which this node listens, in their bytes, without the peer ID."""

    def addresses_of(self, peer: PeerId) -> Sequence[bytes]:
        """Where a connected peer says that it listens, in bytes as above; nothing of it is proven."""

    def seen_at(self, peer: PeerId) -> bytes | None:
        """Where the connection to a peer leads, in bytes as above: that is certain. None without one."""

    async def reach(self, peer: PeerId, addresses: Sequence[str]) -> None:
        """Connect to a peer, unless connected, at whichever address answers first. Raises TransportError."""
