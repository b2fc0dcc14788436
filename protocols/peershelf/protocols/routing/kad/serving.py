"""The streams that others ask on: each is read and answered, within bounds that keep them apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import trio

from peershelf.protocols.errors import NetworkError
from peershelf.protocols.routing.kad.messages import Message, encode
from peershelf.protocols.routing.kad.rpc import read_message
from peershelf.protocols.streams import ending
from peershelf.protocols.transport import PeerId, Stream
from peershelf.protocols.wire import FrameDecoder, encode_frame

MAX_REQUEST = 32 << 10
"""Bytes of a request that we read; one with a peer and all of its addresses has a few thousand."""
MOST_STREAMS = 16
"""Streams of one peer at a time: with half a request on each, that is all the memory that it can take."""
IDLE = 60.0
"""Seconds for a request to arrive whole, and for its answer to be taken."""

Answer = Callable[[PeerId, Message], Message | None]


class Serving:
    """Answers requests one after another on each stream."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._streams: Counter[PeerId] = Counter()

    async def handle(self, stream: Stream) -> None:
        """Answer until the peer has no more, is silent for long, or talks nonsense."""
        if self._streams[stream.peer] >= MOST_STREAMS:
            await stream.reset()
            return
        self._streams[stream.peer] += 1
        try:
            async with ending(stream):
                await self._serve(stream)
        except (NetworkError, trio.TooSlowError):
            pass
        finally:
            self._streams -= Counter([stream.peer])

    async def _serve(self, stream: Stream) -> None:
        decoder = FrameDecoder(MAX_REQUEST)
        while True:
            with trio.fail_after(IDLE):
                request = await read_message(stream, decoder)
                if request is None:
                    return
                reply = self._answer(stream.peer, request)
                if reply is not None:
                    await stream.send_all(encode_frame(encode(reply)))
            # Neither reading nor writing waits while there is something to read and room to write.
            await trio.lowlevel.checkpoint()
