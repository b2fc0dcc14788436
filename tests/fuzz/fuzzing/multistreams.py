"""Negotiation of a stream's protocol, as the one who is asked and as the one who asks."""

from __future__ import annotations

from typing import Any, cast

from libp2p.custom_types import TProtocol
from libp2p.exceptions import BaseLibp2pError
from libp2p.network.stream.exceptions import StreamEOF
from libp2p.network.stream.net_stream import NetStream
from libp2p.protocol_muxer.multiselect import Multiselect

from peershelf.protocols.errors import NetworkError
from peershelf.protocols.libp2p.buffered import BufferedStream
from peershelf.protocols.libp2p.negotiation import answer, select
from peershelf.protocols.libp2p.read_ahead import MAX_ANSWERS, MAX_NEGOTIATION, READ_AHEAD
from peershelf.protocols.wire import encode_frame

DECLARED = (NetworkError, BaseLibp2pError, UnicodeDecodeError)
"""What py-libp2p's negotiation is known to raise besides our own errors; the callers take any of it."""

_OURS = ("/ipfs/id/1.0.0", "/ipfs/ping/1.0.0")


def _lines(*texts: str) -> bytes:
    return b"".join(encode_frame(text.encode() + b"\n") for text in texts)


_GREETING = "/multistream/1.0.0"
SAMPLES = [
    _lines(_GREETING, _OURS[0]) + b"and what comes after it",
    _lines(_GREETING, "/other/1", "ls", "na", _OURS[1]),
    _lines(_GREETING, "na", "na"),
    _lines(_GREETING, *["/unknown/protocol"] * 50),
    _lines(_GREETING) + b"\x01\n" * 200,
    _lines(_GREETING, "x" * 300, _OURS[0]),
    _lines(_GREETING) + b"\x80\x80\x04" + bytes(5_000),
]


class Recording:
    """A stream on which the peer has said everything already."""

    muxed_conn = None

    def __init__(self, data: bytes) -> None:
        self._rest = data
        self._protocol: TProtocol | None = None
        self.read_size = self.writes = 0
        self.muxed_stream = self

    async def read(self, n: int | None = None) -> bytes:
        if not self._rest:
            raise StreamEOF
        data, self._rest = self._rest[:n], self._rest[n:]
        self.read_size += len(data)
        return data

    async def write(self, data: bytes) -> None:
        self.writes += 1

    def get_protocol(self) -> TProtocol | None:
        return self._protocol

    def set_protocol(self, protocol: TProtocol) -> None:
        self._protocol = protocol


def _made(data: bytes) -> tuple[Recording, BufferedStream]:
    recording = Recording(data)
    return recording, BufferedStream(cast(NetStream, recording))


async def _rest(stream: BufferedStream) -> bytes:
    rest = b""
    try:
        while data := await stream.read(100):
            rest += data
    except StreamEOF:
        pass
    return rest


async def _handler(_: Any) -> None: ...


_MUX = Multiselect({TProtocol(name): _handler for name in _OURS})


async def check_answer(data: bytes) -> None:
    """A protocol that we have is agreed upon, and nothing after it is lost; or the peer is refused."""
    recording, stream = _made(data)
    try:
        protocol, handler = await answer(stream, _MUX, 10.0)
    except DECLARED:
        assert stream.get_protocol() is None
    else:
        assert protocol in _OURS
        assert handler is _handler
        stream.set_protocol(protocol)
        assert data.endswith(await _rest(stream))
    assert recording.writes <= MAX_ANSWERS
    assert recording.read_size <= MAX_NEGOTIATION + READ_AHEAD or stream.get_protocol()


async def check_select(data: bytes) -> None:
    """As check_answer(), when it is us who asks."""
    recording, stream = _made(data)
    try:
        protocol = await select(stream, _OURS)
    except DECLARED:
        assert stream.get_protocol() is None
    else:
        assert protocol in _OURS
        stream.set_protocol(protocol)
        assert data.endswith(await _rest(stream))
    assert recording.writes <= len(_OURS)
