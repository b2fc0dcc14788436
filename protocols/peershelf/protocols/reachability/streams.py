"""Messages over the streams of AutoNAT v2."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from peershelf.protocols.errors import StreamReset
from peershelf.protocols.reachability.messages import Message, decode, encode
from peershelf.protocols.transport import Stream
from peershelf.protocols.wire import FrameDecoder, encode_frame

_READ = 16_384


async def send(stream: Stream, message: Message) -> None:
    """Send a message. Raises TransportError."""
    await stream.send_all(encode_frame(encode(message)))


async def receive(stream: Stream, decoder: FrameDecoder) -> Message:
    """Return the next message. Raises RemoteProtocolError, TransportError."""
    return decode(await receive_frame(stream, decoder))


async def receive_frame(stream: Stream, decoder: FrameDecoder) -> memoryview:
    """Return the next frame. Raises RemoteProtocolError, TransportError."""
    while (frame := decoder.next_frame()) is None:
        data = await stream.receive_some(_READ)
        if not data:
            raise StreamReset("the peer has ended the stream before it said all")
        decoder.receive(data)
    return frame


@asynccontextmanager
async def ending(stream: Stream) -> AsyncIterator[None]:
    """Close the stream in the end, or reset it unless all went well."""
    ended_well = False
    try:
        yield
        ended_well = True
    finally:
        with trio.CancelScope(shield=True, deadline=trio.current_time() + 1):
            await (stream.aclose() if ended_well else stream.reset())
