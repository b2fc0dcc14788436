"""What a connection pays, in rest, for work that it makes without moving data.

A frame of 12 bytes takes as long to deal with as one of 64 KiB, and a Noise message can be empty. All of a
node runs in one thread, so a peer that sends nothing else could have that for itself with a few MB a second.
The CPU time of such work is added up: who has had more than its share is not read from until that is paid.
Frames that go with data are free, in either direction: a fast transfer has few of them to the MiB.
"""

from __future__ import annotations

from peershelf.protocols.libp2p.yamux.limits import YamuxLimits

_FREE = 1_024
"""Bytes moved that make one frame or message free."""
_SAVED = 1_024
"""Frames and messages that a connection can have free at a time."""


class TollGate:
    """Shares the time for such work among all connections of a host."""

    def __init__(self, limits: YamuxLimits) -> None:
        self.limits = limits
        self.tolls: set[Toll] = set()

    def rate(self, now: float) -> float:
        """Return the CPU time that a connection may have in a second: the more owe some, the less."""
        debtors = sum(toll.paid_at > now for toll in self.tolls)
        return min(self.limits.toll_share, self.limits.tolls_share / max(1, debtors))


class Toll:
    """One connection's account. Times in seconds, of one clock.

    `open` it when the connection begins, and `close` it when that has ended.
    """

    def __init__(self, gate: TollGate) -> None:
        self._gate = gate
        self._free = _SAVED
        self._moved = 0
        self._owed = 0.0
        self._looked_at = 0.0
        self.paid_at = 0.0
        """When all that was charged will be paid, as it looked last."""

    def open(self) -> None:
        """What is owed counts with what others owe."""
        self._gate.tolls.add(self)

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
        self._settle(seconds, now)

    def rest(self, now: float) -> float:
        """Return for how long nothing is to be read from the connection."""
        if self._owed <= self._gate.limits.toll_ahead:
            return 0.0
        self._settle(0.0, now)
        return max(0.0, self._owed - self._gate.limits.toll_ahead) / self._gate.rate(now)

    def _settle(self, seconds: float, now: float) -> None:
        """Take off what was paid since the last look, and add what is new."""
        rate = self._gate.rate(now)
        self._owed = max(0.0, self._owed - rate * (now - self._looked_at)) + seconds
        self._looked_at = now
        self.paid_at = now + self._owed / rate

    def close(self) -> None:
        """The connection has ended, and who has left has nothing to pay."""
        self._gate.tolls.discard(self)
