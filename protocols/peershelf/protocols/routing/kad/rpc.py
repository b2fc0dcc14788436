"""Messages over streams: one request and its answer."""

from __future__ import annotations

from collections.abc import Iterable

from peershelf.protocols.errors import MalformedMessage, RemoteProtocolError, StreamReset
from peershelf.protocols.routing.kad.messages import MAX_MESSAGE, Message, decode, encode
from peershelf.protocols.transport import Stream
from peershelf.protocols.wire import FrameDecoder, encode_frame

_READ = 65_536
_PIECE = 32_768


def frames(messages: Iterable[Message]) -> list[bytes]:
    """Encode messages that need no answer, many to a piece."""
    pieces: list[bytes] = []
    piece = bytearray()
    for message in messages:
        piece += encode_frame(encode(message))
        if len(piece) >= _PIECE:
            pieces.append(bytes(piece))
            piece.clear()
    return [*pieces, bytes(piece)] if piece else pieces


async def ask(stream: Stream, request: Message) -> Message:
    """Send a request and return the answer. Raises RemoteProtocolError, TransportError."""
    await stream.send_all(encode_frame(encode(request)))
    answer = await read_message(stream, FrameDecoder(MAX_MESSAGE))
    if answer is None:
        raise StreamReset("the peer has ended the stream without an answer")
    if answer.kind is not request.kind:
        raise MalformedMessage("the answer is one to something else")
    return answer


async def read_message(stream: Stream, decoder: FrameDecoder) -> Message | None:
    """Return the next message, None at the end of the stream. Raises RemoteProtocolError, TransportError."""
    frame = await read_frame(stream, decoder)
    return None if frame is None else decode(frame)


async def read_frame(stream: Stream, decoder: FrameDecoder) -> memoryview | None:
    """Return the next message's bytes, and else as read_message()."""
    while (frame := decoder.next_frame()) is None:
        data = await stream.receive_some(_READ)
        if not data:
            if decoder.mid_frame:
                raise RemoteProtocolError("a message ends early")
            return None
        decoder.receive(data)
    return frame
