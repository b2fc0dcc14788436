"""One peer as somebody to ask: what it offers, what is on order from it, whether it keeps its word."""

from __future__ import annotations

from math import inf

from peershelf.blockstore.block import MAX_BLOCK_SIZE
from peershelf.blockstore.cid import Cid
from peershelf.protocols.bitswap.limits import BitswapLimits
from peershelf.protocols.bitswap.outbox import Outbox
from peershelf.protocols.bitswap.progress import TRICKLE, Progress
from peershelf.protocols.bitswap.rest import Rest
from peershelf.protocols.bitswap.want import Want
from peershelf.protocols.bitswap.window import Ask, Window
from peershelf.protocols.transport import PeerId

_PATIENCE = 4.0
"""How many times as long as expected a block may take from a peer that is not silent."""
_LEAST_DELAY = 0.05
"""Quicker answers count as this: a longer queue on a quick line harms nobody, and is refilled less often."""
_VALID = 2.0
"""Seconds for which a speed counts as known while nothing is on order."""
_STEPS = 2
"""In how many messages a full window is asked for anew at the least delay: half of it will do, see `window`.
Where a request travels longer, in more of them, since half of the largest window does not."""
_PROOF = 4
"""Blocks in a row that a peer must have sent for what it has on order to be taken for granted."""
_WORDS = 3.0
"""How many times as long as for its word a peer may take to begin with a block: it may open a stream."""


class Provider:
    """A connected peer that may have what we want."""

    def __init__(self, peer: PeerId, limits: BitswapLimits, now: float) -> None:
        self.peer = peer
        self.since = now
        """When it connected."""
        self._limits = limits
        self.outbox = Outbox(
            limits.wants_per_peer, reserved=min(limits.window_most, limits.wants_per_peer // 2)
        )
        self.window = Window(limits.window_peer, limits, least_delay=_LEAST_DELAY)
        self.asked: dict[Cid, Ask] = {}
        self.offers: dict[Cid, Want] = {}
        """Wants of which the peer says that it has the block."""
        self.progress = Progress(now)
        self.speed = self.progress.speed
        self.on_trial = False
        """Whether what is on order is one block after a time in which its speed may have changed."""
        self._word_latency = inf
        """Seconds in which it showed at the quickest that it has a block."""
        self.unchecked = 0
        """Blocks that came from it and are being hashed or stored."""
        self.bad_blocks = 0
        self._in_a_row = 0
        """Blocks that it sent since it last let us down."""
        self._rest = Rest(limits)
        self._answered_to = -inf
        """When the latest of the blocks was asked for that have come."""

    @property
    def delivers(self) -> bool:
        """Whether it has sent us blocks and not gone silent since."""
        return not (self.is_untried or self._rest.is_deserved)

    @property
    def is_untried(self) -> bool:
        """Whether it has never sent us a block that it was asked for."""
        return self.window.latency is None

    def trust(self, now: float) -> int:
        """How sure it is that what is on order will come: how many blocks came in a row, up to `_PROOF`."""
        return min(self._in_a_row, _PROOF) if self.speed.rate(now) else 0

    def is_proven(self, now: float) -> bool:
        """Whether what it has on order can be taken for granted."""
        return self.trust(now) >= _PROOF

    @property
    def is_hopeless(self) -> bool:
        """Whether it has sent so much that is wrong that nothing more should be asked of it."""
        return self.bad_blocks >= self._limits.bad_blocks

    def has_room(self, now: float) -> bool:
        """Whether another block may be asked of it now."""
        # With one block on order at a time, a wrong one tells which it should have been.
        # Who went silent is asked for little until it delivers: nobody else is asked for that meanwhile.
        most = self.window.blocks if self.delivers else self._limits.window_peer
        is_free = not self.asked if self.bad_blocks else self._travelling < most
        return is_free and self._rest.is_over(now) and self.outbox.has_room

    @property
    def has_much_room(self) -> bool:
        """Whether so much of what was on order has come that it is worth a message to ask for more."""
        blocks = self.window.blocks
        steps = _STEPS * max(1.0, self.window.delay / _LEAST_DELAY)
        return self._travelling <= blocks - max(1, int(blocks / steps))

    @property
    def here(self) -> int:
        """Blocks on order that have come and are being hashed and stored: meanwhile their peer is idle."""
        return min(self.unchecked, len(self.asked))

    @property
    def _travelling(self) -> int:
        return len(self.asked) - self.here

    def order(self, cid: Cid, now: float) -> None:
        """The peer is asked for a block."""
        self.on_trial = not self.asked and self.is_to_be_measured(now)
        self.speed.start(now)
        self.asked[cid] = self.window.ask(now)
        self.outbox.want_block(cid)

    def withdraw(self, cid: Cid) -> Ask | None:
        """A block is no longer on order. Returns when it was asked for, if it was."""
        ask = self.asked.pop(cid, None)
        if not self.asked:
            self.speed.stop()
        return ask

    def recall(self, cid: Cid, now: float) -> None:
        """A block that may be on its way already is no longer on order."""
        if self.withdraw(cid) is not None:
            self.progress.recalled(cid.multihash, now)

    def took_in(self, blocks: int) -> None:
        """A message is complete; its blocks will be checked."""
        self.unchecked += blocks
        self.progress.took_in()

    def showed(self, known_since: float) -> None:
        """It has just said that it has a block, or sent it, that peers have known to be wanted since then."""
        self._word_latency = min(self._word_latency, self.progress.spoke_at - max(known_since, self.since))

    def outstanding(self, block_size: float) -> float:
        """Bytes on order that have not come yet, given the usual size of a block."""
        ordered = self._travelling * block_size
        # With blocks larger than usual on their way, there is no telling.
        arriving = self.progress.arriving
        return ordered - arriving if arriving < ordered else ordered / 2

    def expects(self, size: float, now: float, block_size: float | None = None) -> float:
        """Seconds until `size` bytes more would be here, after all that is on order; infinity if unknown."""
        rate = self.speed.rate(now)
        if not rate:
            return inf
        ahead = self.outstanding(size if block_size is None else block_size)
        return max((ahead + size) / rate, self.window.delay if size else 0.0)

    def is_to_be_measured(self, now: float) -> bool:
        """Whether its speed was measured so long ago that it may be another by now."""
        return self.speed.age(now) >= _VALID

    def due(self, ask: Ask, now: float) -> float:
        """When a block counts as overdue: after silence, or several times what is to be expected."""
        first = self._limits.first_answer
        usual = self.window.latency
        silence = first if usual is None else min(first, max(3 * usual, self._limits.least_silence))
        if self._answered_to > ask.at + max(self._limits.least_silence, 2 * (usual or 0.0)):
            return now  # what was asked for long after it has come
        rate = self.speed.rate(now)
        queue = len(self.asked) * MAX_BLOCK_SIZE / rate if rate >= TRICKLE else 0.0
        patience = max(self._patience, _PATIENCE * queue)
        return min(max(ask.at, self.progress.heard_at) + silence, ask.at + patience)

    def is_long_ago(self, ask: Ask, now: float) -> bool:
        """Whether a block was asked for so long ago that it comes slowly, if it comes."""
        return ask.at + self._patience <= now

    def has_only_talked(self, ask: Ask, now: float) -> bool:
        """Whether it has sent no block that it was asked for, and would have begun as quick as it talks."""
        if not self.is_untried or self.progress.has_begun:
            return False
        return ask.at + max(self._limits.look_again, _WORDS * self._word_latency) <= now

    @property
    def _patience(self) -> float:
        return _PATIENCE * max(self._limits.first_answer, self.window.latency or 0.0)

    def quiet_since(self, cid: Cid) -> float:
        """When something last came, or the block was asked for, if that was later."""
        return max(self.asked[cid].at, self.progress.heard_at)

    def went_silent(self, now: float) -> float:
        """Leave the peer alone for a while, longer each time. Returns until when."""
        self._in_a_row = 0
        return self._rest.begin(now)

    def delivered(self, cid: Cid, size: int, now: float) -> None:
        """A block that we want came from this peer, which thereby forgets the want."""
        self.progress.useful(size, now)
        self._in_a_row += 1
        self.outbox.answered(cid)
        ask = self.withdraw(cid)
        if ask is not None:
            self.window.delivered(ask, size, now)
            self._answered_to = max(self._answered_to, ask.at)
        self._rest.end()

    def forget(self, cid: Cid, now: float) -> None:
        """A block is wanted no longer."""
        self.recall(cid, now)
        self.offers.pop(cid, None)
        self.outbox.cancel(cid)
