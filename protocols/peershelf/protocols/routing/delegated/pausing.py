"""Leaving somebody alone who fails again and again."""

from __future__ import annotations

from math import inf

FIRST, LONGEST = 5.0, 300.0
"""Seconds. The first failure has no pause: it may have been chance."""


class Pause:
    """Doubles with each failure, and is over with the first success. Times are the caller's, in seconds."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._until = -inf

    def lasts(self, now: float) -> bool:
        """Whether nothing should be tried yet."""
        return now < self._until

    def failed(self, now: float) -> float:
        """It failed. Returns the seconds to wait."""
        # What was under way together has failed together: that is one failure, not many.
        if not self.lasts(now):
            self._until = now + self._seconds
            self._seconds = min(2 * self._seconds, LONGEST) or FIRST
        return max(self._until - now, 0.0)

    def succeeded(self) -> None:
        """All is well."""
        self._seconds, self._until = 0.0, -inf
