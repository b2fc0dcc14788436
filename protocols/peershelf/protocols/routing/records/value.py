"""What a check of a value comes to."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf


@dataclass(frozen=True, slots=True)
class Value:
    """A value that was checked for its key."""

    data: bytes
    rank: tuple[int, int, bytes] = (0, 0, b"")
    """Of two values for one key, the one with the greater rank is the better."""
    ends: float = inf
    """Until when it holds, in seconds since 1970."""
