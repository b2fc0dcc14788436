"""How long somebody who did not do what was expected is left alone: longer each time, until it does."""

from __future__ import annotations

from math import inf

from peershelf.protocols.bitswap.limits import BitswapLimits


class Rest:
    """The times of one peer, in seconds."""

    def __init__(self, limits: BitswapLimits) -> None:
        self._limits = limits
        self._length = 0.0
        self._until = -inf

    @property
    def is_deserved(self) -> bool:
        """Whether it has not done since what was expected, be the rest over or not."""
        return self._length > 0

    def is_over(self, now: float) -> bool:
        """Whether it need not be left alone."""
        return now >= self._until

    def begin(self, now: float) -> float:
        """Leave it alone, unless it is already. Returns until when."""
        if self.is_over(now):
            self._length = min(2 * (self._length or self._limits.first_answer), self._limits.longest_rest)
            self._until = now + self._length
        return self._until

    def end(self) -> None:
        """It did what was expected."""
        self._length = 0.0
        self._until = -inf
