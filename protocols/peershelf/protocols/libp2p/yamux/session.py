"""A Yamux connection without I/O: bytes and times in, events and bytes to send out.

How it goes. `receive` takes what came and returns events. What we do ourselves (`open`, `send`, `read` …)
puts frames into the outbox, from where `data_to_send` hands them out in portions; `tick` is for `deadline`.
Once the session has ended, by a go-away of either side, by a violation or by a lost connection, nothing is
received any more, streams are cut, and only the last frames are left to send.

What a peer does wrong is judged so:

- The connection ends with a go-away for what no honest program does: a frame that cannot be parsed, data
  beyond a stream's window, credit beyond 32 bits, a SYN with our parity or for a stream that is open.
- A stream is reset, and the others do not notice: one too many, or one whose bytes nobody reads while the
  connection holds too many.
- Frames of a stream that is not open are ignored, as they may have crossed our reset; their payload is
  skipped without being kept, but must not be longer than any window.
- An ID that was used and is over may be used again: go-yamux may send the SYNs of two streams out of order,
  so that order cannot tell a new stream from an old one.

Spec: https://github.com/hashicorp/yamux/blob/master/spec.md
"""

from __future__ import annotations

from collections.abc import Sequence

from peershelf.protocols.errors import LocalProtocolError
from peershelf.protocols.libp2p.security.codec import Message
from peershelf.protocols.libp2p.yamux.buffer import Piece
from peershelf.protocols.libp2p.yamux.errors import YamuxViolation
from peershelf.protocols.libp2p.yamux.events import Event, Readable, SessionEnded, Writable
from peershelf.protocols.libp2p.yamux.frames import (
    CONNECTION,
    MAX_PAYLOAD,
    Flag,
    FrameDecoder,
    Header,
    Kind,
    Reason,
)
from peershelf.protocols.libp2p.yamux.inbound import Inbound
from peershelf.protocols.libp2p.yamux.keepalive import Keepalive
from peershelf.protocols.libp2p.yamux.limits import YamuxLimits
from peershelf.protocols.libp2p.yamux.outbox import Outbox
from peershelf.protocols.libp2p.yamux.portion import Portion
from peershelf.protocols.libp2p.yamux.shared import Shared
from peershelf.protocols.libp2p.yamux.stream import Side, Stream
from peershelf.protocols.libp2p.yamux.table import StreamTable


class Session:
    """One connection's Yamux, from its first byte to its last. Times in seconds on one clock.

    Args:
        initiator: whether we dialed.
        shared: what the connections of a host share; by default those of one connection.
    """

    def __init__(
        self,
        *,
        initiator: bool,
        now: float,
        limits: YamuxLimits | None = None,
        shared: Shared | None = None,
    ) -> None:
        self._limits = limits or YamuxLimits()
        self._table = StreamTable(self._limits, shared or Shared(self._limits), initiator=initiator)
        self._outbox = Outbox(self._limits)
        self._keepalive = Keepalive(self._limits, now)
        self._decoder = FrameDecoder()
        self._portion = Portion()
        self._inbound = Inbound(self._table, self._outbox, self._keepalive, self._limits)
        self._ended: SessionEnded | None = None
        self._behind = False
        self.frames = 0
        """Frames that have come so far."""
        self.moved = 0
        """Bytes of streams that have come or gone so far."""

    @property
    def ended(self) -> SessionEnded | None:
        """How the session ended, None while it goes on."""
        return self._ended

    @property
    def streams(self) -> StreamTable:
        """The open streams."""
        return self._table

    @property
    def round_trip(self) -> float | None:
        """The measured round trip, None before the first."""
        return self._keepalive.round_trip

    # What comes in.

    def receive(self, now: float, *pieces: bytes) -> list[Event]:
        """Take in what the connection brought, maybe nothing; return what that means.

        Deals with so many frames at a time: while there are more (`is_behind`), call it again.
        """
        if self._ended is not None:
            return []
        self._keepalive.heard(now)
        self._decoder.receive(*pieces)
        try:
            self._process(now)
            if self._outbox.is_overfull:
                raise YamuxViolation("the peer makes us answer and does not read the answers")
        except YamuxViolation as error:
            self._end(SessionEnded(Reason.PROTOCOL_ERROR, str(error)))
            self._go_away(Reason.PROTOCOL_ERROR)
        return self._events()

    def _process(self, now: float) -> None:
        last = self.frames + self._limits.frames_at_a_time
        self._behind = False
        while self._ended is None:
            found = self._decoder.next()
            if found is None:
                return
            if not isinstance(found, Header):
                self.moved += len(found)
                self._inbound.payload(found, is_last=not self._decoder.due)
                continue
            self.frames += 1
            if found.kind == Kind.GO_AWAY:
                self._end(SessionEnded(found.length, "the peer said goodbye"))
            else:
                self._inbound.frame(found, now)
            if self.frames >= last:
                self._behind = True
                return

    @property
    def is_behind(self) -> bool:
        """Whether more has come than the last `receive` has dealt with."""
        return self._behind and self._ended is None

    def lost(self, detail: str) -> list[Event]:
        """The connection broke, or ended without a word; return what that means."""
        if self._ended is None:
            self._end(SessionEnded(None, detail))
        return self._events()

    @property
    def deadline(self) -> float:
        """When to call `tick`."""
        return self._keepalive.deadline

    def tick(self, now: float) -> list[Event]:
        """Ping if it is time, and give up a peer that does not answer."""
        if self._ended is not None:
            return []
        if self._keepalive.gone(now):
            return self.lost("the peer does not answer pings")
        ping = self._keepalive.ping(now)
        if ping is not None:
            self._outbox.control(Kind.PING, Flag.SYN, CONNECTION, ping, urgent=True)
        return []

    def _events(self) -> list[Event]:
        events, self._inbound.events = self._inbound.events, []
        return events

    def _end(self, end: SessionEnded) -> None:
        self._ended = end
        self._outbox.clear()
        for stream in self._table.cut():
            self._inbound.events += [Readable(stream), Writable(stream)]
        self._inbound.events.append(end)

    # What goes out.

    def data_to_send(self) -> Sequence[Message]:
        """Remove and return what comes next for the connection, nothing if there is nothing now.

        It should see that in one write; tell `handed_over` how long that took. Messages have whole frames.
        """
        portion = self._outbox.take(self._portion.size)
        self._inbound.answers_sent()
        return portion

    def handed_over(self, seconds: float) -> None:
        """The connection took the last portion within so long."""
        self._portion.took(seconds)

    @property
    def has_data_to_send(self) -> bool:
        """Whether `data_to_send` would return anything."""
        return len(self._outbox) > 0

    def close(self) -> list[Event]:
        """End the connection once what is in the outbox is sent; return what that means."""
        if self._ended is not None:
            return []
        self._ended = SessionEnded(Reason.NORMAL, "closed by us")
        self._go_away(Reason.NORMAL)
        for stream in self._table.cut():
            self._inbound.events += [Readable(stream), Writable(stream)]
        self._inbound.events.append(self._ended)
        return self._events()

    def _go_away(self, reason: Reason) -> None:
        self._outbox.control(Kind.GO_AWAY, 0, CONNECTION, reason, urgent=False)

    # Streams.

    @property
    def may_open(self) -> bool:
        """Whether `open` would return a stream; if not, wait for StreamAcknowledged."""
        return self._ended is None and self._table.may_open

    def open(self, now: float) -> Stream:
        """Return a new stream. Raises LocalProtocolError unless `may_open`."""
        if not self.may_open:
            raise LocalProtocolError("no stream can be opened on this connection now")
        stream = self._table.open(now)
        self._outbox.control(Kind.WINDOW_UPDATE, Flag.SYN, stream.id, stream.window.greet(), urgent=False)
        return stream

    def accept(self) -> Stream | None:
        """Return the next stream that the peer opened, None if there is none; tells the peer about it."""
        stream = self._table.accept()
        if stream is not None:
            credit = stream.window.greet() if stream.receiving is Side.OPEN else 0
            self._outbox.control(Kind.WINDOW_UPDATE, Flag.ACK, stream.id, credit, urgent=True)
        return stream

    def send(self, stream: Stream, data: memoryview) -> int:
        """Send the beginning of `data`, which must not change any more; return how many bytes that is.

        If it is 0 there is no credit (`stream.credit`: wait for Writable), or else no room in the outbox
        (until `data_to_send` has made some). Raises LocalProtocolError when our side has ended.
        """
        if stream.sending is not Side.OPEN:
            raise LocalProtocolError(f"yamux stream {stream.id} takes no more data")
        if not self._outbox.room:
            return 0
        size = min(len(data), stream.credit, self._portion.payload)
        for start in range(0, size, MAX_PAYLOAD):
            self._outbox.data(stream.id, data[start : min(start + MAX_PAYLOAD, size)])
        stream.credit -= size
        self.moved += size
        return size

    def read_pieces(self, stream: Stream, most: int, now: float) -> list[Piece]:
        """Return up to `most` bytes in the pieces that they came in, none of them empty.

        There are none if nothing has come: `stream.receiving` says why.
        """
        pieces = stream.take(most)
        if pieces and stream.receiving is Side.OPEN:
            credit = stream.window.renew(now, self._keepalive.round_trip)
            if credit:
                self._outbox.control(Kind.WINDOW_UPDATE, 0, stream.id, credit, urgent=True)
        return pieces

    def finish(self, stream: Stream) -> None:
        """End our side; what was sent before still arrives."""
        if stream.sending is Side.OPEN:
            stream.end_sending()
            self._outbox.control(Kind.WINDOW_UPDATE, Flag.FIN, stream.id, 0, urgent=False)
            self._table.release(stream)

    def reset(self, stream: Stream) -> None:
        """End both sides at once, and drop what came and was not read, unless the connection has ended."""
        if self._ended is None:
            stream.discard()
        if not stream.is_over:
            stream.cut()
            self._outbox.control(Kind.WINDOW_UPDATE, Flag.RST, stream.id, 0, urgent=False)
            self._table.release(stream)
