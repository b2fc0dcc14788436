"""What `session.Session` tells whoever drives it."""

from __future__ import annotations

from dataclasses import dataclass

from peershelf.protocols.libp2p.yamux.frames import Reason
from peershelf.protocols.libp2p.yamux.stream import Stream


@dataclass(frozen=True, slots=True)
class StreamArrived:
    """The peer opened a stream; `Session.accept` returns it."""


@dataclass(frozen=True, slots=True)
class StreamAcknowledged:
    """A place for another stream of ours has become free."""


@dataclass(frozen=True, slots=True)
class Readable:
    """There are bytes to read, or there will never be any more."""

    stream: Stream


@dataclass(frozen=True, slots=True)
class Writable:
    """The peer granted credit, or will never take any more."""

    stream: Stream


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """The connection is over; close it once `Session.data_to_send` has nothing more."""

    reason: Reason | int | None
    """What the go-away said, ours or the peer's; None where the connection was lost."""
    detail: str


Event = StreamArrived | StreamAcknowledged | Readable | Writable | SessionEnded
