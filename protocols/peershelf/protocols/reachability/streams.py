"""Messages over the streams of AutoNAT v2."""

from __future__ import annotations

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
