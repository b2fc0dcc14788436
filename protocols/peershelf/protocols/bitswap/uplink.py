"""How many messages of blocks to have on their way at once, to all peers together.

Ten peers served at once each get a tenth of our line, and nobody has a whole block until all have; served
one after the other, the first can pass its block on meanwhile, and cancels still count for the rest. So no
more turns are given at once than keep the line full, which a Window measures. Turns that take far longer than
our line would need for all of them do not count: it is their peers that are slow, and these hold up nobody.
"""

from __future__ import annotations

from math import inf

from peershelf.protocols.bitswap.limits import BitswapLimits
from peershelf.protocols.bitswap.turn import Turn
from peershelf.protocols.bitswap.window import Ask, Window

_LEAST = 4
_PATIENCE = 2.0


class Uplink:
    """Turns on their way. Times in seconds."""

    def __init__(self, limits: BitswapLimits) -> None:
        self._limits = limits
        self._window = Window(_LEAST, limits)
        self._running: dict[Turn, Ask] = {}

    def started(self, turn: Turn, now: float) -> None:
        """A turn is on its way."""
        self._running[turn] = self._window.ask(now)

    def ended(self, turn: Turn, now: float, *, sent: bool) -> None:
        """A turn is not on its way any more, `sent` or given up."""
        start = self._running.pop(turn, None)
        if start is not None and sent:
            self._window.delivered(start, turn.size, now)

    def has_room(self, now: float) -> bool:
        """Whether another turn may start."""
        return len(self._prompt(now)) < self._window.blocks

    def room_at(self, now: float) -> float:
        """When there may be room because another turn no longer counts."""
        return min((start.at + self._patience for start in self._prompt(now)), default=inf)

    def _prompt(self, now: float) -> list[Ask]:
        return [start for start in self._running.values() if start.at + self._patience > now]

    @property
    def _patience(self) -> float:
        return _PATIENCE * max(self._limits.least_silence, self._window.turnaround)
