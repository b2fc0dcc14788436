"""A Yamux connection as py-libp2p wants it: `session.Session` over a secured connection.

What is done to a stream changes the session at once, and `pump.Pump` alone writes: so whoever is cancelled
leaves no half frame behind. Nothing polls, nothing locks: who waits looks at the state of the session, waits
for a bell, and looks again.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import structlog
import trio
from libp2p.abc import IMuxedConn
from libp2p.connection_types import ConnectionType
from libp2p.peer.id import ID
from libp2p.stream_muxer.exceptions import MuxedConnUnavailable

from peershelf.protocols.errors import LocalProtocolError
from peershelf.protocols.libp2p.addresses import Multiaddr
from peershelf.protocols.libp2p.security.session import SecuredConnection
from peershelf.protocols.libp2p.yamux.bell import Bell
from peershelf.protocols.libp2p.yamux.buffer import Piece
from peershelf.protocols.libp2p.yamux.events import (
    Event,
    Readable,
    SessionEnded,
    StreamAcknowledged,
    StreamArrived,
    Writable,
)
from peershelf.protocols.libp2p.yamux.limits import YamuxLimits
from peershelf.protocols.libp2p.yamux.muxed_stream import YamuxStream
from peershelf.protocols.libp2p.yamux.pump import Pump
from peershelf.protocols.libp2p.yamux.session import Session
from peershelf.protocols.libp2p.yamux.shared import Shared
from peershelf.protocols.libp2p.yamux.stream import Stream
from peershelf.protocols.libp2p.yamux.table import Load
from peershelf.protocols.pacing.metered import Metered, charging
from peershelf.protocols.pacing.toll import Toll

log = structlog.get_logger(__name__)

T = TypeVar("T")


class YamuxConnection(IMuxedConn):
    """Streams over `conn`, which belongs to this from now on. Make it inside trio, then run start().

    Args:
        conn: the secured connection; `conn.is_initiator` tells which side gives odd stream IDs.
        peer_id: who is at its other end.
        shared: what the connections of a host share; by default those of one connection.
        cpu: returns the seconds of CPU that the thread has used.
    """

    def __init__(
        self,
        conn: SecuredConnection,
        peer_id: ID,
        limits: YamuxLimits | None = None,
        shared: Shared | None = None,
        cpu: Callable[[], float] = time.thread_time,
    ) -> None:
        self.secured_conn = conn
        self.peer_id = peer_id
        self.event_started = trio.Event()
        self.on_close: Callable[[], Awaitable[object]] | None = None
        """Awaited once, when the connection has ended; py-libp2p sets it."""
        limits = limits or YamuxLimits()
        shared = shared or Shared(limits)
        now = trio.current_time()
        self._session = Session(initiator=conn.is_initiator, now=now, limits=limits, shared=shared)
        self._toll = Toll(shared.debts)
        self._pump = Pump(self._session, conn, self._dispatch, limits, self._toll, cpu)
        self._cpu = cpu
        self._streams: dict[Stream, YamuxStream] = {}
        self._arrived = Bell()
        self._openable = Bell()
        self._closed = trio.Event()
        self.last_used = trio.current_time()
        """When data of a stream was read or sent last, on trio's clock."""

    @property
    def is_initiator(self) -> bool:
        """Whether we dialed."""
        return self.secured_conn.is_initiator

    @property
    def load(self) -> Load:
        """What the streams come to."""
        return self._session.streams.load

    @property
    def is_established(self) -> bool:
        """Whether streams can be opened."""
        return self.event_started.is_set() and not self.is_closed

    @property
    def is_closed(self) -> bool:
        """Whether the connection has ended, for whatever reason."""
        return self._session.ended is not None

    @property
    def streams(self) -> list[Stream]:
        """The streams that are open in at least one direction."""
        return list(self._session.streams)

    @property
    def round_trip(self) -> float | None:
        """Seconds that a ping takes, smoothed; None before the first."""
        return self._session.round_trip

    @property
    def room(self) -> Bell:
        """Rings when there may be room for more data to send, or the connection has ended."""
        return self._pump.room

    # Its life.

    async def start(self) -> None:
        """Run until the connection ends. Raises nothing of its own."""
        if self.event_started.is_set():
            return
        self.event_started.set()
        self._session.streams.budget.join(self._shed)
        try:
            await self._pump.run()
        finally:
            self._dispatch(self._session.lost("the connection is shut down"))
            await self._shut()

    async def close(self) -> None:
        """Say goodbye, hand over what is still to be sent for as long as patience allows, and close."""
        self._dispatch(self._session.close())
        if self.event_started.is_set():
            await self._closed.wait()
        else:
            self.event_started.set()
            await self._shut()

    async def _shut(self) -> None:
        self._toll.close()
        self._session.streams.budget.leave()
        await self._pump.shut()
        self._closed.set()
        if self.on_close is not None:
            try:
                await self.on_close()
            except Exception:  # what leaves start() would end the whole host
                log.exception("a connection's end was not taken well", peer=str(self.peer_id))

    # What the session tells.

    def _dispatch(self, events: list[Event]) -> None:
        """Wake who waits for `events`, and the writing task for what the session may have to send."""
        for event in events:
            if isinstance(event, Readable):
                self._readable(event.stream)
            elif isinstance(event, Writable):
                self._wake(event.stream)
            elif isinstance(event, StreamArrived):
                self._arrived.ring()
            elif isinstance(event, StreamAcknowledged):
                self._openable.ring()
            else:
                self._ended(event)
        self._pump.wake()

    def _readable(self, state: Stream) -> None:
        stream = self._streams.get(state)
        if stream is not None and stream.has_enough:
            self._wake(state)

    def _wake(self, state: Stream) -> None:
        stream = self._streams.get(state)
        if stream is not None:
            stream.changed.ring()
            if state.is_over:
                del self._streams[state]

    def _ended(self, end: SessionEnded) -> None:
        log.debug("yamux connection ended", peer=str(self.peer_id), reason=end.reason, detail=end.detail)
        for bell in (self.room, self._arrived, self._openable):
            bell.ring()
        self._streams.clear()
        self._pump.over.set()

    # Streams.

    async def open_stream(self) -> YamuxStream:
        """Return a new stream, at once unless the peer has yet to acknowledge many others.

        Raises MuxedConnUnavailable.
        """
        await trio.lowlevel.checkpoint()
        while not self._session.may_open:
            self._check_open()
            await self._openable.wait()
        try:
            return self._adopt(self._session.open(trio.current_time()))
        except LocalProtocolError as error:
            raise MuxedConnUnavailable(str(error)) from error

    async def accept_stream(self) -> YamuxStream:
        """Wait for the peer to open a stream and return it. Raises MuxedConnUnavailable.

        Waits, too, until the peer has paid for what its streams before cost: see `metered`.
        """
        await self.rest()
        while True:
            self._check_open()
            state = self._session.accept()
            if state is not None:
                return self._adopt(state)
            await self._arrived.wait()

    async def metered(self, work: Coroutine[Any, Any, T]) -> T:
        """Await what is done for a stream of the peer, and let the peer pay for the CPU time of it."""
        return await Metered(work, charging(self._charge, self._cpu))

    def _charge(self, seconds: float) -> None:
        self._toll.charge(seconds, trio.current_time())

    async def rest(self) -> None:
        """Wait until the peer has paid, or the connection has ended."""
        await trio.lowlevel.checkpoint()
        while rest := self._toll.rest(trio.current_time()):
            with trio.move_on_after(rest):
                await self._pump.over.wait()
                return

    def _check_open(self) -> None:
        if self.is_closed:
            raise MuxedConnUnavailable("the connection has ended")

    def _adopt(self, state: Stream) -> YamuxStream:
        stream = YamuxStream(self, state)
        if not state.is_over:
            self._streams[state] = stream
        self._pump.wake()
        return stream

    def take(self, state: Stream, most: int) -> list[Piece]:
        """Return up to `most` bytes that `state` has received, in pieces, none of them empty."""
        self.last_used = trio.current_time()
        pieces = self._session.read_pieces(state, most, self.last_used)
        self._pump.wake()
        return pieces

    def send(self, state: Stream, data: memoryview) -> int:
        """Send the beginning of `data` on `state`; return how many bytes, which may be none."""
        self.last_used = trio.current_time()
        sent = self._session.send(state, data)
        self._pump.wake()
        return sent

    def finish(self, state: Stream) -> None:
        """End our side of `state`."""
        self._session.finish(state)
        self._settle(state)

    def reset(self, state: Stream) -> None:
        """End both sides of `state`."""
        self._session.reset(state)
        self._settle(state)

    def _shed(self) -> None:
        """Too much is unread on all connections, and most of it on this one."""
        fullest = max(self._session.streams, key=lambda state: len(state.buffer), default=None)
        if fullest is not None:
            self.reset(fullest)

    def _settle(self, state: Stream) -> None:
        self._wake(state)
        self._openable.ring()
        self._pump.wake()

    # The connection beneath.

    def get_transport_addresses(self) -> list[Multiaddr]:
        """Return what the secured connection says."""
        return self.secured_conn.get_transport_addresses()

    def get_connection_type(self) -> ConnectionType:
        """Return what the secured connection says."""
        return self.secured_conn.get_connection_type()

    def get_remote_address(self) -> tuple[str, int] | None:
        """Return the peer's IP address and port."""
        return self.secured_conn.get_remote_address()
