"""Bandwidth: a pipe lets so many bytes through a second, whoever they belong to, first come first served."""

from __future__ import annotations


class Pipe:
    """One direction of a node's access line. Rates in bytes per second; None is no limit."""

    def __init__(self, rate: float | None) -> None:
        self.rate = rate
        """May be changed at any time: what is carried later gets it."""
        self._free_at = 0.0

    def carry(self, size: int, ready: float) -> float:
        """Send `size` bytes that are ready at a given time; return when the last of them is through."""
        if self.rate is None:
            return ready
        self._free_at = max(self._free_at, ready) + size / self.rate
        return self._free_at
