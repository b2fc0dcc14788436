"""What the frames of a peer do. `session` says how its mistakes are judged."""

from __future__ import annotations

from peershelf.protocols.libp2p.yamux.errors import YamuxViolation
from peershelf.protocols.libp2p.yamux.events import (
    Event,
    Readable,
    StreamAcknowledged,
    StreamArrived,
    Writable,
)
from peershelf.protocols.libp2p.yamux.frames import CONNECTION, Flag, Header, Kind
from peershelf.protocols.libp2p.yamux.keepalive import Keepalive
from peershelf.protocols.libp2p.yamux.limits import YamuxLimits
from peershelf.protocols.libp2p.yamux.outbox import Outbox
from peershelf.protocols.libp2p.yamux.stream import Side, Stream
from peershelf.protocols.libp2p.yamux.table import StreamTable

_SYN, _ACK, _FIN, _RST = (int(flag) for flag in Flag)


class Inbound:
    """Applies frames, all but go-aways, to the streams of a connection."""

    def __init__(self, table: StreamTable, outbox: Outbox, keepalive: Keepalive, limits: YamuxLimits) -> None:
        self._table = table
        self._outbox = outbox
        self._keepalive = keepalive
        self._limits = limits
        self._target: Stream | None = None
        self._last_piece_ends = False
        self._unsent_pongs = 0
        self.events: list[Event] = []

    def frame(self, header: Header, now: float) -> None:
        """Apply a frame but for its payload. Raises YamuxViolation."""
        if header.kind == Kind.PING:
            self._ping(header, now)
            return
        stream = self._stream(header, now)
        if stream is not None:
            if header.flags & _ACK:
                self._acknowledged(stream)
            if header.kind == Kind.WINDOW_UPDATE:
                self._credit(stream, header)
        if header.kind == Kind.DATA:
            self._announced(stream, header)

    def _stream(self, header: Header, now: float) -> Stream | None:
        """Return the stream that a frame is about; None if there is none or none any more."""
        if not header.flags & _SYN:
            stream = self._table.find(header.stream_id)
            if stream is not None and header.flags & _RST:
                self._reset(stream)
                return None
            return stream
        stream = self._table.admit(header.stream_id, now)
        if stream is None:
            self.refuse(header.stream_id)
        elif header.flags & _RST:
            stream.reset()
            self._table.release(stream)
            return None
        else:
            self.events.append(StreamArrived())
        return stream

    def refuse(self, stream_id: int) -> None:
        """Tell the peer that a stream is reset; needs no order, as we say nothing more about it."""
        self._outbox.control(Kind.WINDOW_UPDATE, _RST, stream_id, 0, urgent=True)

    def _reset(self, stream: Stream) -> None:
        stream.reset()
        self._release(stream)
        self.events += [Readable(stream), Writable(stream)]

    def _release(self, stream: Stream) -> None:
        news = not stream.inbound and not stream.acknowledged
        if self._table.release(stream) and news:
            self.events.append(StreamAcknowledged())

    def _acknowledged(self, stream: Stream) -> None:
        if self._table.acknowledge(stream):
            self.events.append(StreamAcknowledged())

    def _credit(self, stream: Stream, header: Header) -> None:
        if header.length:
            stream.add_credit(header.length)
            self.events.append(Writable(stream))
        if header.flags & _FIN:
            self._ended(stream)

    def _announced(self, stream: Stream | None, header: Header) -> None:
        if stream is not None and stream.receiving is not Side.OPEN:
            stream = None
        if stream is None and header.length > self._limits.window:
            raise YamuxViolation(f"{header.length} bytes for no open yamux stream ({header.stream_id})")
        if stream is not None and header.length > stream.window.credit:
            raise YamuxViolation(f"the window of yamux stream {header.stream_id} was overrun")
        self._target = stream
        self._last_piece_ends = bool(header.flags & _FIN)
        if stream is not None and not header.length and self._last_piece_ends:
            self._ended(stream)

    def payload(self, piece: memoryview, *, is_last: bool) -> None:
        """Keep a piece of payload for the stream that it was announced for, if that still takes any."""
        stream = self._target
        if stream is None or stream.receiving is not Side.OPEN:
            return
        if not stream.arrive(piece):
            self.refuse(stream.id)
            self._reset(stream)
            return
        if not self._is_told(stream):
            self.events.append(Readable(stream))
        if is_last and self._last_piece_ends:
            self._ended(stream)

    def _is_told(self, stream: Stream) -> bool:
        """Whether the last event says already that a stream is readable, as one read brings many pieces."""
        last = self.events[-1] if self.events else None
        return isinstance(last, Readable) and last.stream is stream

    def _ended(self, stream: Stream) -> None:
        stream.end_receiving()
        self._release(stream)
        self.events.append(Readable(stream))

    def _ping(self, header: Header, now: float) -> None:
        if not header.flags & _SYN:
            self._keepalive.answered(header.length, now)
        elif self._unsent_pongs < self._limits.pongs:
            self._unsent_pongs += 1
            self._outbox.control(Kind.PING, _ACK, CONNECTION, header.length, urgent=True)

    def answers_sent(self) -> None:
        """What was in the outbox has been handed out."""
        self._unsent_pongs = 0
