"""A rate kept by booking: each byte takes up its time on the line, one after the other. No I/O, no clock.

Theory of operation. A bucket knows from when on its line is free. Bytes are booked for that moment, which
moves on by the time that they take; who books before it waits until then. An idle line may be booked a
little into the past (SLACK), so that what wakes up late loses nothing. In any span of T seconds that lets
through no more than rate · (T + SLACK), and one portion.

A hurried message (a ping, a want) does not wait, but takes its time on the line all the same, which those
behind it then wait for. How much may hurry is held to a share of the rate by a second booking.
"""

from __future__ import annotations

from math import inf

SLACK = 0.04
"""Seconds of the rate that may be made up for at once."""
PORTION_TIME = 0.01
"""Seconds of the rate that one turn may take: those who share a line take turns."""
FULL_PORTION = 4_096
"""Bytes beside which what frames a portion, some 80 bytes, is little. On a slow line a turn takes up to SLACK
to come near it."""
LEAST_PORTION, LARGEST_PORTION = 1_024, 65_536
_HURRY_SHARE = 0.25
_HURRY_BURST = 16_384


class _Line:
    def __init__(self, rate: float, slack: float) -> None:
        self._rate = rate
        self._slack = slack
        self._free_at = -inf

    def book(self, size: int, now: float) -> float:
        start = max(self._free_at, now - self._slack)
        self._free_at = start + size / self._rate
        return start

    def give_back(self, size: int) -> None:
        self._free_at -= size / self._rate

    def is_free(self, now: float) -> bool:
        return self._free_at <= now


class Bucket:
    """One limit: `rate` in bytes per second. Times are seconds on any clock that only goes forward."""

    def __init__(self, rate: int) -> None:
        hurry = rate * _HURRY_SHARE
        self._line = _Line(rate, SLACK)
        self._hurry = _Line(hurry, max(SLACK, _HURRY_BURST / hurry))
        worth = max(rate * PORTION_TIME, min(rate * SLACK, FULL_PORTION))
        self.portion = min(max(LEAST_PORTION, int(worth)), LARGEST_PORTION)
        """Bytes that one turn may take."""

    def book(self, size: int, now: float) -> float:
        """Take the next place on the line for `size` bytes. Returns when they may go, which may be past."""
        return self._line.book(size, now)

    def give_back(self, size: int) -> None:
        """Of what was booked, `size` bytes did not go."""
        self._line.give_back(size)

    def may_hurry(self, now: float) -> bool:
        """Whether a small message may go before its turn."""
        return self._hurry.is_free(now)

    def hurry(self, size: int, now: float) -> None:
        """Such a message goes now."""
        self._hurry.book(size, now)
        self._line.book(size, now)
