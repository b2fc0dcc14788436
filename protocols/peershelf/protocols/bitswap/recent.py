"""What forgets by itself: a dictionary for what we know about strangers, a set for what comes in masses."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Recent(OrderedDict[Key, Value], Generic[Key, Value]):
    """Keeps the `limit` keys that were set last; setting a key again makes it the latest."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit

    def __setitem__(self, key: Key, value: Value) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        if len(self) > self._limit:
            self.popitem(last=False)


class RecentKeys(Generic[Key]):
    """Knows the `least` keys that were added last, and some of those before them. Adding is cheap.

    Those of one update() are known and forgotten together, however many.
    """

    def __init__(self, least: int) -> None:
        self._least = least
        self._new: dict[Key, None] = {}
        self._old: dict[Key, None] = {}

    def __contains__(self, key: Hashable) -> bool:
        return key in self._new or key in self._old

    def update(self, keys: Iterable[Key]) -> None:
        """Add these."""
        if len(self._new) >= self._least:
            self._old, self._new = self._new, {}
        self._new.update(dict.fromkeys(keys))
