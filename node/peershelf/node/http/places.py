"""Places for connections and requests of strangers: so many at a time, and of one address not all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class Places:
    """Gives out places, or none."""

    def __init__(self, most: int, most_of_one: int) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._taken: Counter[str] = Counter()

    @contextmanager
    def place(self, host: str) -> Iterator[bool]:
        """Hold a place of a host while this is open; tells whether there was one."""
        free = self._taken.total() < self._most and self._taken[host] < self._most_of_one
        if not free:
            yield False
            return
        self._taken[host] += 1
        try:
            yield True
        finally:
            self._taken -= Counter([host])
