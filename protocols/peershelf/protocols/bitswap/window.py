"""How many blocks to have on order from one peer: twice its bandwidth times its delay.

That much keeps the peer's link full while a request travels, and no more, so that a queue at a busy peer does
not grow with our appetite. Bandwidth is the best rate seen lately between asking for a block and having it,
delay the shortest such time. While the window is what holds things up, each round trip doubles it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from peershelf.protocols.bitswap.limits import BitswapLimits

_DELAY_VALID = 30.0
_RATE_DECAY = 0.98
_SMOOTHING = 0.25
_UNKNOWN_BLOCK = 262_144
_LEAST_BYTES = 131_072
"""What any line holds: small blocks need not be asked for in twos and fours first."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One block on order: when it was asked for, and what the peer had delivered by then, in bytes."""

    at: float
    delivered: int


class Window:
    """Measures what comes, or goes, one way. Times in seconds, sizes in bytes."""

    def __init__(self, least: int, limits: BitswapLimits, *, least_delay: float = 0.01) -> None:
        """Shorter delays count as `least_delay`: many small blocks at a time cost less each than a few."""
        self._least = least
        self._least_delay = least_delay
        self._limits = limits
        self._delivered = 0
        self._rate = 0.0
        self._delay: float | None = None
        self._delay_until = 0.0
        self.latency: float | None = None
        """Smoothed time from asking for a block to having it; None before the first."""
        self.block_size: float = _UNKNOWN_BLOCK
        """Smoothed size of the blocks."""

    @property
    def blocks(self) -> int:
        """How many blocks may be on order."""
        return max(self._least, ceil(self.measured))

    @property
    def measured(self) -> float:
        """The same as far as it is known: 0 before the first block."""
        if self._delay is None:
            return 0.0
        size = max(self.block_size, 1.0)
        most = min(self._limits.window_most, self._limits.window_bytes / size)
        return min(max(2 * self._rate * max(self._delay, self._least_delay), _LEAST_BYTES) / size, most)

    @property
    def delay(self) -> float:
        """The shortest time lately from asking for a block to having it; 0 before the first."""
        return self._delay or 0.0

    @property
    def turnaround(self) -> float:
        """Seconds that a full window takes at the best rate seen lately; 0 before the first block."""
        return self.blocks * self.block_size / self._rate if self._rate else 0.0

    def ask(self, now: float) -> Ask:
        """Note that a block is asked for."""
        return Ask(now, self._delivered)

    def delivered(self, ask: Ask, size: int, now: float) -> None:
        """Learn from a block that came."""
        elapsed = max(now - ask.at, 1e-6)
        self._delivered += size
        self._rate = max(self._rate * _RATE_DECAY, (self._delivered - ask.delivered) / elapsed)
        if self._delay is None or elapsed <= self._delay or now > self._delay_until:
            self._delay, self._delay_until = elapsed, now + _DELAY_VALID
        self.latency = (
            elapsed if self.latency is None else self.latency + _SMOOTHING * (elapsed - self.latency)
        )
        first = self.block_size == _UNKNOWN_BLOCK
        self.block_size = float(size) if first else self.block_size + _SMOOTHING * (size - self.block_size)
