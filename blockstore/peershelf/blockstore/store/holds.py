"""Holds: what somebody works with is not collected, although nothing that is pinned leads to it yet.

Theory of operation. Whoever adds blocks writes leaves before the nodes above them, and pins the root last;
until then nothing leads to them. So a hold protects what goes through it. In a store that is a log, that is
everything behind the log's end at the moment when the hold began, which costs no memory, and by their keys
those blocks that were there before. A collection holds likewise what comes and is hit while it runs.

A hold that is closed while a collection runs stays in force until that ends, because the collection may have
read the pins before the one that took the hold's place was made.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass

Position = tuple[int, int]
"""A place in a log; later ones are greater."""

NOWHERE: Position = (sys.maxsize, 0)
"""Behind everything, for stores without a log."""


class HeldKeys:
    """What one hold protects."""

    __slots__ = ("keys", "since")

    def __init__(self, since: Position = NOWHERE) -> None:
        self.since = since
        """All that lies at this position or behind it is held."""
        self.keys: set[bytes] = set()
        """What is held beside."""

    def add(self, key: bytes, position: Position = (0, 0)) -> None:
        """Hold a block that lies at `position`."""
        if position < self.since:
            self.keys.add(key)


@dataclass(frozen=True, slots=True)
class InForce:
    """The holds of one moment."""

    since: Position
    keys: Sequence[set[bytes]]

    def protects(self, key: bytes, position: Position = (0, 0)) -> bool:
        """Whether the block, which lies at `position`, is held."""
        return position >= self.since or any(key in keys for keys in self.keys)


class Holds:
    """Every hold that is in force. Safe from any thread.

    That a block is held at the very moment when it is to be removed is for the store to see to: it asks and
    removes, and puts and holds, under one lock of its own.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: set[HeldKeys] = set()
        self._outlived: set[HeldKeys] = set()
        self._collection: HeldKeys | None = None

    def open(self, since: Position = NOWHERE) -> HeldKeys:
        """Begin a hold of all that comes at `since` and behind it."""
        held = HeldKeys(since)
        with self._lock:
            self._open.add(held)
        return held

    def close(self, held: HeldKeys) -> None:
        """End a hold; during a collection, it stays in force to its end. Closing twice is harmless."""
        with self._lock:
            if held in self._open:
                self._open.remove(held)
                if self._collection is not None:
                    self._outlived.add(held)

    def begin_collection(self, since: Position = NOWHERE) -> bool:
        """From now on keep holds that end, and hold all that is touched.

        Returns False if a collection is under way already.
        """
        with self._lock:
            if self._collection is not None:
                return False
            self._collection = HeldKeys(since)
            return True

    def end_collection(self) -> None:
        """Let go of the holds that ended meanwhile."""
        with self._lock:
            self._collection = None
            self._outlived.clear()

    def touch(self, held: HeldKeys | None, key: bytes, position: Position = (0, 0)) -> None:
        """A block was put or found by somebody, within the hold `held` if there is one."""
        if held is not None:
            held.add(key, position)
        collection = self._collection
        if collection is not None:
            collection.add(key, position)

    def in_force(self) -> InForce:
        """Return what is held now."""
        with self._lock:
            holds = [*self._open, *self._outlived]
            if self._collection is not None:
                holds.append(self._collection)
        since = min((held.since for held in holds), default=NOWHERE)
        return InForce(since, [held.keys for held in holds if held.keys])
