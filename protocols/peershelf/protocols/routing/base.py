"""What every way of finding peers has in common. Results are pushed, so that a search can be cancelled anywhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from peershelf.blockstore.cid import Cid
from peershelf.protocols.transport import PeerId


@dataclass(frozen=True, slots=True)
class PeerInfo:
    """A peer, and where it is said to be reached: multiaddrs without the peer ID. Nothing of it is proven."""

    peer: PeerId
    addresses: tuple[str, ...] = ()


Found = Callable[[PeerInfo], None]
"""Is told of each peer as it is found, maybe more than once and with other addresses; must not block."""


class Router(Protocol):
    """Searches that take as long as they take: whoever asks bounds them. They raise nothing but TransportError."""

    async def find_providers(self, cid: Cid, found: Found) -> None:
        """Search for peers that have a block, until there is nobody left to ask."""

    async def find_peer(self, peer: PeerId, found: Found) -> None:
        """Search for where a peer is, until it was found or there is nobody left to ask."""

    async def provide(self, cid: Cid) -> int:
        """Announce that this node has a block. Returns how many others have taken note."""
