"""How long to wait before the same thing is tried again."""

from __future__ import annotations

import random
from collections.abc import Callable


class Pauses:
    """Pauses between attempts: twice as long each time, up to `longest` seconds, less a share by chance.

    The chance, a number from 0 to 1, takes up to half of a pause, so that many nodes that lost one peer
    together do not return together.
    """

    def __init__(
        self, first: float = 5.0, longest: float = 300.0, chance: Callable[[], float] = random.random
    ) -> None:
        self._first = first
        self._longest = longest
        self._chance = chance
        self._next = first

    def next(self) -> float:
        """The seconds to wait now."""
        whole, self._next = self._next, min(2 * self._next, self._longest)
        return whole * (1 - self._chance() / 2)

    def start_over(self) -> None:
        """All is well: the next pause is a short one again."""
        self._next = self._first
