"""Things to look at again at a given time, in order of time."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import count
from math import inf
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Alarms(Generic[Item]):
    """A queue by time. Nothing is taken out early: whoever gets an item sees whether it still matters."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Item]] = []
        self._order = count()

    @property
    def next(self) -> float:
        """When the first item is due; infinity if there is none."""
        return self._heap[0][0] if self._heap else inf

    def set(self, at: float, item: Item) -> None:
        """Look at something at a time, or as soon as may be if that has passed."""
        heappush(self._heap, (at, next(self._order), item))

    def due(self, now: float) -> Iterator[Item]:
        """Take out what is due, in order of time."""
        while self._heap and self._heap[0][0] <= now:
            yield heappop(self._heap)[2]
