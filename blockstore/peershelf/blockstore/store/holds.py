"""Holds: what somebody works with is not collected, although nothing that is pinned leads to it yet.

Theory of operation. Whoever adds blocks writes leaves before the nodes above them, and pins the root last;
until then nothing leads to them. So a hold remembers the keys that went through it. A hold that is closed
while a collection runs stays in force until that ends, because the collection may have read the pins before
the one that took the hold's place was made.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable


class HeldKeys:
    """The keys that one hold protects."""

    __slots__ = ("keys",)

    def __init__(self) -> None:
        self.keys: set[bytes] = set()


class Holds:
    """Every hold that is in force. Safe from any thread.

    That a key is held at the very moment when it is to be removed is for the store to see to: it asks and
    removes, and puts and holds, under one lock of its own.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: set[HeldKeys] = set()
        self._outlived: set[HeldKeys] = set()
        self._collecting = False

    def open(self) -> HeldKeys:
        """Begin a hold that protects nothing yet."""
        held = HeldKeys()
        with self._lock:
            self._open.add(held)
        return held

    def close(self, held: HeldKeys) -> None:
        """End a hold; during a collection, it stays in force to its end. Closing twice is harmless."""
        with self._lock:
            if held in self._open:
                self._open.remove(held)
                if self._collecting:
                    self._outlived.add(held)

    def begin_collection(self) -> bool:
        """Keep the holds that end from now on. Returns False if a collection is under way already."""
        with self._lock:
            if self._collecting:
                return False
            self._collecting = True
            return True

    def end_collection(self) -> None:
        """Let go of the holds that ended meanwhile."""
        with self._lock:
            self._collecting = False
            self._outlived.clear()

    def protect(self, keys: Iterable[bytes]) -> set[bytes]:
        """Return those of the keys that are held."""
        wanted = set(keys)
        with self._lock:
            holds = [*self._open, *self._outlived]
        found: set[bytes] = set()
        for held in holds:
            found |= wanted & held.keys
        return found
