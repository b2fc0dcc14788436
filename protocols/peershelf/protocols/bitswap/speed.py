"""How fast bytes come from one peer while something is on order from it.

Bytes are counted as they are read, not as blocks are complete: what a slow peer does is known long before its
first block is here. Older times count for less; time in which nothing is on order does not count at all, but
what was seen before it counts for less as well.

A line that jitters is judged by a long time, one that broke down by a short one: the rate is at most a few
times what it was lately.
"""

from __future__ import annotations

_HALF_LIFE = 1.0
_LATELY = 0.25
"""The half-life of what is lately."""
_JITTER = 2.0
"""How many times as fast as lately a peer may count for what it did before."""
_BREAK = 4.0
"""How many times as fast as lately a peer must have been for the long time to be of no use any more."""
_DOUBT = 0.25
"""Part of its weight that the short time keeps when the long one starts from it."""
_LONGEST_FADING = 5.0
"""Half-lives after which nothing fades further: an old rate is better than none."""


class Speed:
    """Times in seconds, sizes in bytes."""

    def __init__(self) -> None:
        self._long, self._short = _Mean(_HALF_LIFE), _Mean(_LATELY)
        self._since: float | None = None
        self._measured_at: float | None = None

    def start(self, now: float) -> None:
        """Something is on order from now on."""
        if self._since is None:
            age, self._since = self.age(now), now
            for mean in (self._long, self._short):
                mean.fade(age)

    def stop(self) -> None:
        """Nothing is on order any more."""
        self._since = None

    def heard(self, size: int, now: float) -> None:
        """Some bytes came."""
        if self._since is None:
            return
        for mean in (self._long, self._short):
            mean.add(size, now - self._since)
        if self._long.rate(0.0) > _BREAK * self._short.rate(0.0):
            self._long.start_over(self._short)
        self._since = self._measured_at = now

    def take_back(self, size: int) -> None:
        """Some of the bytes that came were not what was on order."""
        for mean in (self._long, self._short):
            mean.take_back(size)

    def rate(self, now: float) -> float:
        """Bytes per second; 0 while nothing has come, and less and less the longer nothing comes."""
        waited = 0.0 if self._since is None else now - self._since
        return min(self._long.rate(waited), _JITTER * self._short.rate(waited))

    def age(self, now: float) -> float:
        """How long ago bytes were last counted; 0 while something is on order, and before the first."""
        return 0.0 if self._since is not None or self._measured_at is None else now - self._measured_at


class _Mean:
    """Bytes per second, where older seconds count for less."""

    def __init__(self, half_life: float) -> None:
        self._half_life = half_life
        self._bytes = 0.0
        self._seconds = 0.0

    def fade(self, elapsed: float) -> None:
        """Time has passed: what was before counts for less."""
        fading = 0.5 ** min(elapsed / self._half_life, _LONGEST_FADING)
        self._bytes *= fading
        self._seconds *= fading

    def add(self, size: int, elapsed: float) -> None:
        """So much came in so many seconds."""
        if elapsed > 0:
            self.fade(elapsed)
            self._seconds += elapsed
        self._bytes += size

    def take_back(self, size: int) -> None:
        """So much less came."""
        self._bytes = max(0.0, self._bytes - size)

    def start_over(self, other: _Mean) -> None:
        """Take over what another says, but with little weight: it may still be changing."""
        self._bytes, self._seconds = other._bytes * _DOUBT, other._seconds * _DOUBT

    def rate(self, waited: float) -> float:
        return self._bytes / max(self._seconds + waited, 1e-6)
