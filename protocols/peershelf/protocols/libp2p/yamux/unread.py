"""What all connections of a host hold together that came and nobody has read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Holder(Protocol):
    """One connection."""

    unread: int
    """Bytes."""


class SharedBudget:
    """Bounds the unread bytes of all connections: where they are too many, who holds most gives some up.

    Args:
        most: bytes.
    """

    def __init__(self, most: int) -> None:
        self.unread = 0
        self._most = most
        self._shed: dict[Holder, Callable[[], None]] = {}

    def join(self, holder: Holder, shed: Callable[[], None]) -> None:
        """Count what `holder` holds from now on; `shed` makes it drop some."""
        self._shed[holder] = shed
        self.unread += holder.unread

    def leave(self, holder: Holder) -> None:
        """Its connection has ended, and what it has left with it. To say so twice does no harm."""
        if self._shed.pop(holder, None) is not None:
            self.unread -= holder.unread

    def changed(self, holder: Holder, by: int) -> None:
        """`holder` holds so much more, or less."""
        if holder in self._shed:
            self.unread += by

    def make_room(self, holder: Holder) -> bool:
        """Have others drop what is too much; False if it is for `holder` to do so."""
        while self.unread > self._most:
            heaviest = max(self._shed, key=lambda one: one.unread)
            before = self.unread
            if heaviest is not holder:
                self._shed[heaviest]()
            if self.unread >= before:
                return False
        return True
