"""Who has the most of something that is scarce: whoever does gives way first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Owner = TypeVar("Owner", bound=Hashable)


class Shares(Generic[Owner]):
    """How many each owner has: peers, say. No call takes longer for there being many."""

    def __init__(self) -> None:
        self._counts: dict[Owner, int] = {}
        self._having: dict[int, OrderedDict[Owner, None]] = {}
        self._most = 0

    def add(self, owner: Owner) -> None:
        """An owner has one more."""
        self._change(owner, 1)

    def remove(self, owner: Owner) -> None:
        """An owner has one less."""
        self._change(owner, -1)

    def of(self, owner: Owner) -> int:
        """Return how many an owner has."""
        return self._counts.get(owner, 0)

    def largest(self) -> Owner:
        """Return who has the most; of several, who has had so many for longest."""
        return next(iter(self._having[self._most]))

    def _change(self, owner: Owner, by: int) -> None:
        old = self._counts.pop(owner, 0)
        new = old + by
        if old:
            del self._having[old][owner]
            if not self._having[old]:
                del self._having[old]
        if new:
            self._counts[owner] = new
            self._having.setdefault(new, OrderedDict())[owner] = None
        # By one at a time, so whoever had the most alone and has one less still has the most.
        if new > self._most or self._most not in self._having:
            self._most = new
