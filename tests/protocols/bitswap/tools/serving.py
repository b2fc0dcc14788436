"""An engine and what it needs to serve peers."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from named import A, B, C

from peershelf.blockstore.cid import Cid
from peershelf.protocols.bitswap.engine import Engine
from peershelf.protocols.bitswap.limits import BitswapLimits
from peershelf.protocols.bitswap.messages import WantEntry
from peershelf.protocols.transport import PeerId

BIG = 10_000


class Serving:
    """An engine with a store of sizes, and a driver that looks blocks up at once."""

    def __init__(
        self,
        limits: BitswapLimits | None = None,
        peers: tuple[PeerId, ...] = (A, B, C),
        place: Callable[[PeerId], Hashable] = lambda peer: peer,
    ) -> None:
        self.engine = Engine(limits or BitswapLimits(), place)
        self.sizes: dict[Cid, int] = {}
        for peer in peers:
            self.engine.peer_connected(peer)

    def holds(self, *cids: Cid, size: int = BIG) -> None:
        self.sizes |= dict.fromkeys(cids, size)

    def gets(self, *cids: Cid, size: int = BIG) -> None:
        self.holds(*cids, size=size)
        self.engine.blocks_added(dict.fromkeys(cids, size))

    def wants(self, peer: PeerId, *entries: WantEntry, full: bool = False) -> None:
        if full:
            self.engine.forget_all_but(peer, {entry.cid for entry in entries if not entry.cancel})
        cids = self.engine.receive(peer, entries)
        self.engine.looked_up(peer, {cid: self.sizes.get(cid) for cid in cids})

    def presences(self, peer: PeerId) -> dict[Cid, bool]:
        return {presence.cid: presence.have for presence in self.engine.take_presences(peer, 10_000)}

    def turn(self) -> tuple[PeerId, list[Cid]] | None:
        """One turn, sent at once."""
        turn = self.engine.next_turn(0.0)
        if turn is None:
            return None
        self.engine.sent(turn, 0.0)
        return turn.peer, [want.cid for want in turn.wants]

    def sent_to(self, peer: PeerId) -> list[Cid]:
        """Everything that all turns bring a peer."""
        found = []
        while (turn := self.turn()) is not None:
            found += turn[1] if turn[0] == peer else []
        return found
