"""Yamux: frames, and a whole session that is used while they come."""

from __future__ import annotations

from collections.abc import Iterator

from peershelf.protocols.libp2p.yamux.errors import YamuxViolation
from peershelf.protocols.libp2p.yamux.frames import (
    HEADER_SIZE,
    FrameDecoder,
    Header,
    encode_header,
    parse_header,
)
from peershelf.protocols.libp2p.yamux.limits import YamuxLimits
from peershelf.protocols.libp2p.yamux.session import Session
from peershelf.protocols.libp2p.yamux.stream import Side

_DATA, _UPDATE, _PING, _GO_AWAY = range(4)
_SYN, _ACK, _FIN, _RST = 1, 2, 4, 8
_LIMITS = YamuxLimits(accept_backlog=4, inbound_streams=8, unread=400_000)


def _frame(kind: int, flags: int, stream: int, length: int = 0, payload: bytes = b"") -> bytes:
    return encode_header(kind, flags, stream, len(payload) or length) + payload


_BUSY = b"".join(
    _frame(_UPDATE, _SYN, stream, 1_000)
    + _frame(_DATA, 0, stream, payload=bytes(40))
    + _frame(_UPDATE, _ACK, 2, 300)
    + _frame(_PING, _SYN, 0, stream)
    + _frame(_DATA, _FIN, stream, payload=b"end")
    for stream in (1, 3, 5)
)
SAMPLES = [
    b"\x06" + _BUSY,
    b"\xff" + _BUSY,
    b"\x05" + _frame(_DATA, _SYN, 1, payload=bytes(200)) + _frame(_UPDATE, _RST, 1) + _frame(_DATA, 0, 1),
    b"\x0b" + _frame(_DATA, _SYN, 2, payload=bytes(500)) + _frame(_UPDATE, 0, 1, 2**32 - 1),
    b"\x0b" + b"".join(_frame(_UPDATE, _SYN, stream) for stream in range(1, 41, 2)),
    b"\x17" + _frame(_PING, _ACK, 0, 1) + _frame(_UPDATE, _ACK | _FIN, 1, 9) + _frame(_GO_AWAY, 0, 0, 2),
    b"\xff" + b"".join(_frame(_PING, _SYN, 0, number) for number in range(100)),
]


def _pieces(data: bytes) -> Iterator[bytes]:
    """The first byte says how the rest is cut."""
    step = data[0] + 1 if data else 1
    return (data[start : start + step] for start in range(1, len(data), step))


def _parsed(pieces: Iterator[bytes]) -> tuple[list[Header], bytes, bool]:
    decoder, headers, payload = FrameDecoder(), list[Header](), bytearray()
    try:
        for piece in pieces:
            decoder.receive(piece)
            while (part := decoder.next()) is not None:
                if isinstance(part, Header):
                    headers.append(part)
                else:
                    payload += part
    except YamuxViolation:
        return headers, bytes(payload), True
    return headers, bytes(payload), False


def check_frames(data: bytes) -> None:
    """It does not matter how the bytes are cut, and every header is what it was read from."""
    headers, payload, broken = _parsed(_pieces(data))
    assert (headers, payload, broken) == _parsed(iter([data[1:]]))
    size = HEADER_SIZE * len(headers) + len(payload)
    assert broken or size >= len(data) - HEADER_SIZE
    for header in headers:
        assert parse_header(encode_header(*header)) == header


def check_session(data: bytes) -> None:
    """Nothing is raised, and what the session holds is what it may hold."""
    session = Session(initiator=data[:1] > b"\x7f", now=0.0, limits=_LIMITS)
    ours = session.open(0.0)
    for now, piece in enumerate(_pieces(data)):
        session.receive(float(now), piece)
        session.tick(float(now))
        _use(session, now)
        _check(session)
        if ours.sending is Side.OPEN:
            session.send(ours, memoryview(b"hello"))
        session.data_to_send()
        if session.ended:
            break
    session.close()
    assert len(session.streams) == 0


def _use(session: Session, now: int) -> None:
    stream = session.accept() if session.ended is None else None
    if stream is None:
        return
    session.read_pieces(stream, 10, float(now))
    if now % 3 == 0:
        session.finish(stream)
    elif now % 3 == 1:
        session.reset(stream)


def _check(session: Session) -> None:
    unread = 0
    for stream in session.streams:
        assert 0 <= stream.window.credit <= stream.window.size
        assert len(stream.buffer) == stream.window.unread
        unread += len(stream.buffer)
    assert unread <= _LIMITS.unread
    assert len(session.streams) <= _LIMITS.inbound_streams + 1
    assert session.ended is None or len(session.streams) == 0
