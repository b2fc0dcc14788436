"""A requester that a test asks with, and the peers that it asks."""

from __future__ import annotations

from random import Random

from peershelf.blockstore.cid import Cid
from peershelf.protocols.bitswap.limits import BitswapLimits
from peershelf.protocols.bitswap.messages import Presence
from peershelf.protocols.bitswap.requester import Requester
from peershelf.protocols.transport import PeerId

SIZE = 1_000


class Asking:
    """A requester, its clock, and what its peers were told."""

    def __init__(self, *peers: PeerId, limits: BitswapLimits | None = None, in_demand=None, seed=0) -> None:
        self.requester = Requester(
            limits or BitswapLimits(), random=Random(seed), in_demand=in_demand or (lambda cid: False)
        )
        self.now = 0.0
        for peer in peers:
            self.requester.peer_connected(peer, self.now)

    def session(self, *cids: Cid):
        session_id = self.requester.open()
        self.requester.want(session_id, cids)
        return session_id

    def told(self, peer: PeerId) -> dict[Cid, str]:
        """What a peer is told now: "have", "block" or "cancel" for each CID."""
        self.requester.decide(self.now)
        entries, _ = self.requester.take_wants(peer, 10_000)
        kinds = {True: "cancel", False: "block"}
        return {entry.cid: "have" if entry.have_only else kinds[entry.cancel] for entry in entries}

    def asked(self, peer: PeerId) -> list[Cid]:
        """The blocks that a peer is asked for now."""
        return [cid for cid, kind in self.told(peer).items() if kind == "block"]

    def says(self, peer: PeerId, *cids: Cid, have: bool) -> None:
        self.requester.presences(peer, [Presence(cid, have) for cid in cids])

    def sends(self, peer: PeerId, cid: Cid, size: int = SIZE):
        """A peer sends a block; returns the verdict and the sessions that get it."""
        verdict, deliveries = self.requester.block_received(peer, cid.multihash, size, self.now)
        return verdict, [delivery.session for delivery in deliveries]

    def passes(self, seconds: float) -> None:
        """Time passes, and the alarms in it ring when they are due."""
        end = self.now + seconds
        while self.requester.next_deadline <= end:
            self.now = max(self.now, self.requester.next_deadline)
            self.requester.tick(self.now)
            self.requester.decide(self.now)
        self.now = end
