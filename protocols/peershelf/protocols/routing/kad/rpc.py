"""Messages over streams: one request and its answer, and the streams that others ask on."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import trio

from peershelf.protocols.errors import MalformedMessage, NetworkError, RemoteProtocolError, StreamReset
from peershelf.protocols.routing.kad.messages import MAX_MESSAGE, Message, decode, encode
from peershelf.protocols.transport import PeerId, Stream
from peershelf.protocols.wire import FrameDecoder, encode_frame

IDLE = 60.0
"""Seconds that a peer may keep a stream open without asking anything."""
_READ = 65_536
_PIECE = 32_768

Answer = Callable[[PeerId, Message], Message | None]


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
    answer = await _read(stream, FrameDecoder(MAX_MESSAGE))
    if answer is None:
        raise StreamReset("the peer has ended the stream without an answer")
    if answer.kind is not request.kind:
        raise MalformedMessage("the answer is one to something else")
    return answer


async def serve(stream: Stream, answer: Answer) -> None:
    """Answer requests one after another until the peer has no more, is silent for long, or talks nonsense."""
    decoder = FrameDecoder(MAX_MESSAGE)
    ended_well = False
    try:
        while True:
            with trio.fail_after(IDLE):
                request = await _read(stream, decoder)
                if request is None:
                    break
                reply = answer(stream.peer, request)
                if reply is not None:
                    await stream.send_all(encode_frame(encode(reply)))
        ended_well = True
    except (NetworkError, trio.TooSlowError):
        pass
    finally:
        with trio.CancelScope(shield=True, deadline=trio.current_time() + 1):
            await (stream.aclose() if ended_well else stream.reset())


async def _read(stream: Stream, decoder: FrameDecoder) -> Message | None:
    while (frame := decoder.next_frame()) is None:
        data = await stream.receive_some(_READ)
        if not data:
            if decoder.mid_frame:
                raise RemoteProtocolError("a message ends early")
            return None
        decoder.receive(data)
    return decode(frame)
