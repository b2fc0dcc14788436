"""The open streams of one connection: which there are, which may come, and which nobody has accepted yet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from peershelf.protocols.errors import LocalProtocolError
from peershelf.protocols.libp2p.yamux.errors import YamuxViolation
from peershelf.protocols.libp2p.yamux.limits import YamuxLimits
from peershelf.protocols.libp2p.yamux.shared import Shared
from peershelf.protocols.libp2p.yamux.stream import Stream
from peershelf.protocols.libp2p.yamux.window import ReceiveBudget

_LAST_ID = 0xFFFF_FFFF


class Load(NamedTuple):
    """What the streams of a connection come to."""

    inbound: int
    """Streams that the peer opened."""
    outbound: int
    unread: int
    """Bytes that have come and were not read."""
    credit: int
    """Bytes that the peer may still send."""


class StreamTable:
    """Streams by ID. The side that dialed gives odd IDs, the other one even ones."""

    def __init__(self, limits: YamuxLimits, shared: Shared, *, initiator: bool) -> None:
        self.budget = ReceiveBudget(limits, shared.unread)
        self._places = shared.places
        self._limits = limits
        self._next_id = 1 if initiator else 2
        self._parity = self._next_id % 2
        self._open: dict[int, Stream] = {}
        self._waiting: dict[int, Stream] = {}
        self._inbound = 0
        self._unacknowledged = 0

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[Stream]:
        return iter(list(self._open.values()))

    @property
    def load(self) -> Load:
        """What all open streams come to."""
        return Load(self._inbound, len(self) - self._inbound, self.budget.unread, self.budget.credit)

    def find(self, stream_id: int) -> Stream | None:
        """Return the open stream with that ID."""
        return self._open.get(stream_id)

    @property
    def may_open(self) -> bool:
        """Whether the peer has acknowledged enough of our streams for another one."""
        return self._unacknowledged < self._limits.unacknowledged

    def open(self, now: float) -> Stream:
        """Return a new stream of ours. Raises LocalProtocolError when there are no IDs left."""
        if self._next_id > _LAST_ID:
            raise LocalProtocolError("this connection has used up its stream IDs: connect anew")
        stream = Stream(self._next_id, inbound=False, budget=self.budget, now=now)
        self._next_id += 2
        self._open[stream.id] = stream
        self._unacknowledged += 1
        return stream

    def admit(self, stream_id: int, now: float) -> Stream | None:
        """Return the new stream that the peer opens, None if it has to be refused. Raises YamuxViolation."""
        if stream_id % 2 == self._parity:
            raise YamuxViolation(f"the peer opened yamux stream {stream_id}, an ID that is ours to give")
        if stream_id in self._open:
            raise YamuxViolation(f"the peer opened yamux stream {stream_id} twice")
        if self._inbound >= self._limits.inbound_streams or len(self._waiting) >= self._limits.accept_backlog:
            return None
        if not self._places.take(self._inbound):
            return None
        stream = Stream(stream_id, inbound=True, budget=self.budget, now=now)
        self._open[stream_id] = self._waiting[stream_id] = stream
        self._inbound += 1
        return stream

    def accept(self) -> Stream | None:
        """Return the oldest stream of the peer that was not returned yet, None if there is none."""
        for stream_id in self._waiting:
            return self._waiting.pop(stream_id)
        return None

    def acknowledge(self, stream: Stream) -> bool:
        """The peer has acknowledged `stream`; False if that is no news."""
        if stream.inbound or stream.acknowledged:
            return False
        stream.acknowledged = True
        self._unacknowledged -= 1
        return True

    def release(self, stream: Stream) -> bool:
        """Forget `stream` if it is over; tell whether it was. What nobody has accepted nobody will."""
        if not stream.is_over or self._open.get(stream.id) is not stream:
            return False
        del self._open[stream.id]
        if stream.inbound:
            self._inbound -= 1
            self._places.release()
        if self._waiting.get(stream.id) is stream:
            del self._waiting[stream.id]
            stream.discard()
        self.acknowledge(stream)
        return True

    def cut(self) -> list[Stream]:
        """The connection has ended: cut and forget every stream. Return those that somebody may wait on."""
        known = [stream for stream in self if stream.id not in self._waiting]
        for stream in self:
            stream.cut()
            self.release(stream)
        return known
