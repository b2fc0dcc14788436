"""How many streams the peers of a host may have open to it, over all connections."""

from __future__ import annotations

_OWN = 16
"""Streams that every connection may have, whatever others take: what a peer needs at a time and more."""


class StreamPlaces:
    """Bounds them without letting anybody shut out others.

    Beyond `most`, a connection gets another stream only while it has fewer than 16. So there are never more
    than `most` and 16 for each connection, the number of which is bounded, too.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken = 0

    def take(self, has: int) -> bool:
        """Take a place for a connection that has so many; False if there is none for it."""
        if self._taken >= self._most and has >= _OWN:
            return False
        self._taken += 1
        return True

    def release(self) -> None:
        """Give a place back."""
        self._taken -= 1
