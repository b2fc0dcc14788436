"""The streams that others ask on: each is read and answered, within bounds that keep them apart."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator

import trio

from peershelf.protocols.errors import NetworkError, RemoteProtocolError
from peershelf.protocols.pacing.crowd import neighbourhood_of
from peershelf.protocols.pacing.limits import TimeLimits
from peershelf.protocols.pacing.turns import Pacing
from peershelf.protocols.routing.base import Network
from peershelf.protocols.routing.kad.messages import Message, decode, encode
from peershelf.protocols.routing.kad.rpc import read_frame
from peershelf.protocols.streams import ending
from peershelf.protocols.transport import PeerId, Stream
from peershelf.protocols.wire import FrameDecoder, encode_frame

MAX_REQUEST = 32 << 10
"""Bytes of a request that we read; one with a peer and all of its addresses has a few thousand."""
MOST_STREAMS = 16
"""Streams of one peer at a time: with half a request on each, that is all the memory that it can take."""
IDLE = 60.0
"""Seconds for a request to arrive whole, and again for its answer to be taken. That it waits for its turn
in between is none of the peer's doing."""
_ANSWERED_AT_ONCE = 16 << 10
"""Bytes of answers, to requests that came together, after which they are sent."""
TIME = TimeLimits(share=0.1, ahead=0.05, share_all=0.1, ahead_all=0.05, light=0.005)
"""What answering may take. A lookup asks us a few times, for less than a millisecond each."""

Answer = Callable[[PeerId, Message], Message | None]


def new_pacing(network: Network, cpu: Callable[[], float] = time.thread_time) -> Pacing:
    """Return what all scopes of a node share their time by.

    Args:
        cpu: returns the seconds of CPU that the thread has used, which peers are charged with.
    """
    return Pacing(TIME, cpu, lambda peer: neighbourhood_of(peer, network.seen_at(peer)))


class Serving:
    """Answers requests one after another on each stream, and of each peer one at a time."""

    def __init__(self, answer: Answer, pacing: Pacing) -> None:
        self._answer = answer
        self._pacing = pacing
        self._streams: Counter[PeerId] = Counter()

    async def handle(self, stream: Stream) -> None:
        """Answer until the peer has no more, is silent for long, or talks nonsense."""
        if self._streams[stream.peer] >= MOST_STREAMS:
            await stream.reset()
            return
        self._streams[stream.peer] += 1
        try:
            async with ending(stream):
                await self._pacing.rest(stream.peer)
                await self._pacing.metered(stream.peer, self._serve(stream))
        except RemoteProtocolError:
            self._pacing.punish(stream.peer)
        except (NetworkError, trio.TooSlowError):
            pass
        finally:
            self._streams -= Counter([stream.peer])

    async def _serve(self, stream: Stream) -> None:
        decoder = FrameDecoder(MAX_REQUEST)
        while await self._serve_next(stream, decoder):
            # Neither reading nor writing waits while there is something to read and room to write.
            await trio.lowlevel.checkpoint()

    async def _serve_next(self, stream: Stream, decoder: FrameDecoder) -> bool:
        """Answer what has arrived once that is a request; return False where there is none any more."""
        with trio.fail_after(IDLE):
            first = await read_frame(stream, decoder)
        if first is None:
            return False
        answering = _Answering(self._answer, stream.peer)
        async with self._pacing.turn(stream.peer) as pace:
            await pace.through(answering.steps(first, decoder))
        if answering.answers:
            with trio.fail_after(IDLE):
                await stream.send_all(bytes(answering.answers))
        return True


class _Answering:
    """Requests that came together, on their way to their answers."""

    def __init__(self, answer: Answer, asker: PeerId) -> None:
        self._answer = answer
        self._asker = asker
        self.answers = bytearray()

    def steps(self, first: memoryview, decoder: FrameDecoder) -> Iterator[None]:
        """One request at a time, until there are answers enough to send. Raises RemoteProtocolError."""
        frame: memoryview | None = first
        while frame is not None:
            self._take(decode(frame))
            if len(self.answers) >= _ANSWERED_AT_ONCE:
                return
            frame = decoder.next_frame()
            if frame is not None:
                yield

    def _take(self, request: Message) -> None:
        reply = self._answer(self._asker, request)
        if reply is not None:
            self.answers += encode_frame(encode(reply))
