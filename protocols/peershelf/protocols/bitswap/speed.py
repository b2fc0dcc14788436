"""How fast bytes come from one peer while something is on order from it.

Bytes are counted as they are read, not as blocks are complete: what a slow peer does is known long before its
first block is here. Older times count for less; time in which nothing is on order does not count at all.
"""

from __future__ import annotations

_HALF_LIFE = 1.0


class Speed:
    """Times in seconds, sizes in bytes."""

    def __init__(self) -> None:
        self._bytes = 0.0
        self._seconds = 0.0
        self._since: float | None = None

    def start(self, now: float) -> None:
        """Something is on order from now on."""
        if self._since is None:
            self._since = now

    def stop(self) -> None:
        """Nothing is on order any more."""
        self._since = None

    def heard(self, size: int, now: float) -> None:
        """Some bytes came."""
        if self._since is None:
            return
        elapsed = now - self._since
        if elapsed > 0:
            fading = 0.5 ** (elapsed / _HALF_LIFE)
            self._bytes *= fading
            self._seconds = self._seconds * fading + elapsed
            self._since = now
        self._bytes += size

    def rate(self, now: float) -> float:
        """Bytes per second; 0 while nothing has come, and less and less the longer nothing comes."""
        waited = 0.0 if self._since is None else now - self._since
        return self._bytes / max(self._seconds + waited, 1e-6)
