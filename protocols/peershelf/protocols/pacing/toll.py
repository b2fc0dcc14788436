"""What a connection pays, in rest, for work that it makes without moving data.

A frame of 12 bytes takes as long to deal with as one of 64 KiB, and a Noise message can be empty. All of a
node runs in one thread, so a peer that sends nothing else could have that for itself with a few MB a second.
The CPU time of such work is added up: who has had more than its share is not read from until that is paid.
Frames that go with data are free, in either direction: a fast transfer has few of them to the MiB.
"""

from __future__ import annotations

from peershelf.protocols.pacing.debts import Debts

_FREE = 1_024
"""Bytes moved that make one frame or message free."""
_SAVED = 1_024
"""Frames and messages that a connection can have free at a time."""


class Toll:
    """One connection's account. Times in seconds, of one clock.

    Args:
        debts: those of all connections of a host, which share the time for such work.
    """

    def __init__(self, debts: Debts) -> None:
        self._debts = debts
        self._free = _SAVED
        self._moved = 0
        self._has_left = False

    def worked(self, items: int, moved: int, seconds: float, now: float) -> None:
        """So many frames and messages took so much CPU time, and moved so many bytes of streams."""
        fresh, self._moved = divmod(self._moved + moved, _FREE)
        self._free = min(_SAVED, self._free + fresh)
        charged = max(0, items - self._free)
        self._free -= items - charged
        if charged:
            self.charge(seconds * charged / items, now)

    def charge(self, seconds: float, now: float) -> None:
        """Work took so much CPU time, none of which is free."""
        if not self._has_left:
            self._debts.charge(self, seconds, now)

    def rest(self, now: float) -> float:
        """Return for how long nothing is to be read from the connection."""
        return self._debts.rest(self, now)

    def close(self) -> None:
        """The connection has ended, and who has left has nothing to pay."""
        self._has_left = True
        self._debts.forget(self)
