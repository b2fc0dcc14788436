"""One peer as somebody to ask: what it offers, what is on order from it, whether it keeps its word."""

from __future__ import annotations

from peershelf.blockstore.cid import Cid
from peershelf.protocols.bitswap.limits import BitswapLimits
from peershelf.protocols.bitswap.outbox import Outbox
from peershelf.protocols.bitswap.session import Want
from peershelf.protocols.bitswap.window import Ask, Window
from peershelf.protocols.transport import PeerId

_PATIENCE = 4.0
"""How many times its usual latency, or the first silence, a block may take from a peer that is not silent."""


class Provider:
    """A connected peer that may have what we want."""

    def __init__(self, peer: PeerId, limits: BitswapLimits, now: float) -> None:
        self.peer = peer
        self._limits = limits
        self.outbox = Outbox(
            limits.wants_per_peer, reserved=min(limits.window_most, limits.wants_per_peer // 2)
        )
        self.window = Window(limits.window_peer, limits)
        self.asked: dict[Cid, Ask] = {}
        self.offers: dict[Cid, Want] = {}
        """Wants of which the peer says that it has the block."""
        self.heard_at = now
        self.bad_blocks = 0
        self._silences = 0
        self._rests_until = now

    @property
    def delivers(self) -> bool:
        """Whether it has sent us blocks and not gone silent since."""
        return self.window.latency is not None and self._silences == 0

    @property
    def is_hopeless(self) -> bool:
        """Whether it has sent so much that is wrong that nothing more should be asked of it."""
        return self.bad_blocks >= self._limits.bad_blocks

    def has_room(self, now: float) -> bool:
        """Whether another block may be asked of it now."""
        # With one block on order at a time, a wrong one tells which it should have been.
        window = 1 if self.bad_blocks else self.window.blocks
        return len(self.asked) < window and now >= self._rests_until and self.outbox.has_room

    def due(self, ask: Ask) -> float:
        """When a block counts as overdue: after silence, or at last after several times its usual latency."""
        patience = _PATIENCE * max(self._limits.first_answer, self.window.latency or 0.0)
        return min(self.silent_at(ask), ask.at + patience)

    def silent_at(self, ask: Ask) -> float:
        """From when the peer counts as silent, if nothing comes from it."""
        first = self._limits.first_answer
        usual = self.window.latency
        silence = first if usual is None else min(first, max(3 * usual, self._limits.least_silence))
        return max(ask.at, self.heard_at) + silence

    def is_quicker(self, than: float) -> bool:
        """Whether a block asked of it now should come sooner than `than` seconds, or keeps nobody waiting."""
        return not self.asked or (self.delivers and (self.window.latency or 0.0) < than)

    def quiet_at(self, ask: Ask) -> float:
        """From when the peer counts as busy with others, if nothing comes from it."""
        return max(ask.at, self.heard_at) + self._limits.least_silence

    def went_silent(self, now: float) -> float:
        """Leave the peer alone for a while, longer each time. Returns until when."""
        if now >= self._rests_until:
            self._silences += 1
            rest = min(self._limits.first_answer * 2.0**self._silences, self._limits.longest_rest)
            self._rests_until = now + rest
        return self._rests_until

    def delivered(self, cid: Cid, size: int, now: float) -> None:
        """A block that we want came from this peer, which thereby forgets the want."""
        self.outbox.answered(cid)
        ask = self.asked.pop(cid, None)
        if ask is not None:
            self.window.delivered(ask, size, now)
        self._silences = 0
        self._rests_until = now

    def forget(self, cid: Cid) -> None:
        """A block is wanted no longer."""
        self.asked.pop(cid, None)
        self.offers.pop(cid, None)
        self.outbox.cancel(cid)
