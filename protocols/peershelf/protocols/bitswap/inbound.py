"""Reads the bitswap streams that peers open to us, however many and however long they stay open."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from itertools import count

import structlog
import trio

from peershelf.protocols.bitswap.budget import InboundBudget, Ticket
from peershelf.protocols.bitswap.limits import BitswapLimits
from peershelf.protocols.bitswap.messages import Message
from peershelf.protocols.bitswap.parsing import Decoding
from peershelf.protocols.bitswap.stat import Counters
from peershelf.protocols.errors import MalformedMessage, RemoteProtocolError, TransportError
from peershelf.protocols.pacing.turns import Pace, Pacing
from peershelf.protocols.streams import ending
from peershelf.protocols.transport import PeerId, Stream
from peershelf.protocols.wire import FrameDecoder

log = structlog.get_logger(__name__)

_READ_IDLE = 16_384
"""Read at a time while nothing is announced, so not charged yet; a peer may have hundreds of streams."""
_READ_BODY = 1_048_576
_AT_ONCE = 32
"""Small messages dealt with before others have a turn."""

MessageHandler = Callable[[PeerId, Message, Ticket, Pace], Awaitable[None]]


class InboundStreams:
    """Turns streams into messages. Other implementations open a stream for each message or keep one."""

    def __init__(
        self,
        limits: BitswapLimits,
        counters: Counters,
        pacing: Pacing,
        *,
        heard: Callable[[PeerId, int], None],
        received: MessageHandler,
    ) -> None:
        self._limits = limits
        self._counters = counters
        self._pacing = pacing
        self._heard = heard
        self._received = received
        self.budget = InboundBudget(limits.buffered_per_peer, limits.buffered_total)

    async def handle(self, stream: Stream) -> None:
        """Read a stream until its peer ends it; one that breaks the protocol or stalls loses it."""
        try:
            with trio.CancelScope() as given_up:
                async with ending(stream):
                    await self._pacing.rest(stream.peer)
                    await self._read(stream, given_up)
        except RemoteProtocolError as error:
            self._counters.protocol_errors += 1
            self._pacing.punish(stream.peer)
            log.debug("bitswap_stream_ended", peer=stream.peer, reason=str(error))
        except TransportError:
            pass

    async def _read(self, stream: Stream, given_up: trio.CancelScope) -> None:
        decoder = FrameDecoder(self._limits.message_in)
        while data := await stream.receive_some(_READ_IDLE):
            self._heard(stream.peer, len(data))
            decoder.receive(data)
            while decoder.mid_frame:
                await self._message(stream, decoder, given_up)

    async def _message(self, stream: Stream, decoder: FrameDecoder, given_up: trio.CancelScope) -> None:
        # A function of its own: a stream that is idle must not keep its last message alive.
        frame, ticket = await self._frame(stream, decoder, given_up)
        peer, decoding = stream.peer, Decoding(frame, self._limits)
        try:
            async with self._pacing.turn(peer) as pace:
                await self._dispatch(peer, decoding, ticket, pace)
                del frame, decoding  # its memory is no longer granted
                if decoder.buffered:
                    await self._pacing.metered(peer, self._others(peer, decoder, given_up, pace))
        except BaseException:
            ticket.release()
            raise

    async def _others(
        self, peer: PeerId, decoder: FrameDecoder, given_up: trio.CancelScope, pace: Pace
    ) -> None:
        """Deal with what came whole together with another message, in the same turn.

        Taking turns for each of many small messages would take longer than these do.
        """
        for number in count(1):
            # Who has the turn must not wait for memory: those that hold it may be waiting for the turn.
            if not self.budget.has_room(peer, decoder.buffered):
                return
            frame = decoder.next_pieces()
            if frame is None:
                return
            ticket = await self.budget.admit(peer, sum(map(len, frame)), given_up.cancel)
            try:
                await self._dispatch(peer, Decoding(frame, self._limits), ticket, pace)
            except BaseException:
                ticket.release()
                raise
            if number % _AT_ONCE == 0:
                await trio.lowlevel.checkpoint()
                await self._pacing.rest(peer)

    async def _frame(
        self, stream: Stream, decoder: FrameDecoder, given_up: trio.CancelScope
    ) -> tuple[Sequence[memoryview], Ticket]:
        frame = decoder.next_pieces()
        while frame is None and decoder.announced is None:
            await self._more(stream, decoder)
            frame = decoder.next_pieces()
        size = (decoder.announced or 0) if frame is None else sum(map(len, frame))
        ticket = await self.budget.admit(stream.peer, size, given_up.cancel)
        try:
            while frame is None:
                await self._more(stream, decoder)
                ticket.progress()
                frame = decoder.next_pieces()
        except BaseException:
            ticket.release()
            raise
        return frame, ticket

    async def _more(self, stream: Stream, decoder: FrameDecoder) -> None:
        pieces: Sequence[bytes | bytearray | memoryview] = ()
        with trio.move_on_after(self._limits.stall) as progress:
            pieces = await stream.receive_pieces(_READ_BODY, least=decoder.missing)
        if progress.cancelled_caught:
            raise MalformedMessage(f"a message made no progress for {self._limits.stall:g} s")
        if not pieces:
            raise MalformedMessage("a stream ended inside a message")
        self._heard(stream.peer, sum(map(len, pieces)))
        for piece in pieces:
            decoder.receive(piece)

    async def _dispatch(self, peer: PeerId, decoding: Decoding, ticket: Ticket, pace: Pace) -> None:
        await pace.through(decoding)
        ticket.taken()
        self._counters.messages_received += 1
        await self._received(peer, decoding.message, ticket, pace)
