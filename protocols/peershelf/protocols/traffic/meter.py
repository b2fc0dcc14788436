"""Counts bytes, and how fast they go. No I/O, no clock."""

from __future__ import annotations

from math import exp

_MEMORY = 1.0
"""Seconds: what is so long ago weighs a third of what is now. As in Kubo."""


class Meter:
    """One count. Its rate is exponentially weighted; it needs no ticks, so an idle one costs nothing."""

    __slots__ = ("_at", "_recent", "total")

    def __init__(self) -> None:
        self.total = 0
        """Bytes so far."""
        self._recent = 0.0
        self._at = 0.0

    def add(self, size: int, now: float) -> None:
        """Count `size` bytes. `now` is in seconds, on a clock that only goes forward."""
        self.total += size
        self._recent = self._faded(now) + size
        self._at = now

    def rate(self, now: float) -> float:
        """Bytes per second of late."""
        return self._faded(now) / _MEMORY

    def _faded(self, now: float) -> float:
        return self._recent * exp((self._at - now) / _MEMORY) if self._recent else 0.0
