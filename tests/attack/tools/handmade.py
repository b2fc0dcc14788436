"""What goes over the wire, made by hand: no field is checked, and any may be wrong."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from peershelf.protocols.bitswap.messages import PROTOCOLS, Message, encode
from peershelf.protocols.wire import encode_frame

DATA, UPDATE, PING, GO_AWAY = range(4)
SYN, ACK, FIN, RST = 1, 2, 4, 8
BITSWAP = PROTOCOLS[0]

_HEADER = struct.Struct(">BBHII")


def line(text: str) -> bytes:
    """One line of multistream-select."""
    return encode_frame(text.encode() + b"\n")


MULTISTREAM = line("/multistream/1.0.0")


def propose(protocol: str) -> bytes:
    """How a side that opens something begins."""
    return MULTISTREAM + line(protocol)


def yamux(
    kind: int,
    flags: int = 0,
    stream: int = 0,
    length: int | None = None,
    payload: bytes = b"",
    version: int = 0,
) -> bytes:
    """One Yamux frame."""
    return _HEADER.pack(version, kind, flags, stream, len(payload) if length is None else length) + payload


def opened(stream: int, protocol: str, payload: bytes = b"") -> bytes:
    """A frame that opens a stream, proposes a protocol and goes on as if that were agreed upon."""
    return yamux(DATA, SYN, stream, payload=propose(protocol) + payload)


def bitswap(message: Message) -> bytes:
    """One bitswap message with its length."""
    return encode_frame(b"".join(bytes(piece) for piece in encode(message, BITSWAP)))


@dataclass(frozen=True)
class Frame:
    """A Yamux frame that came in."""

    kind: int
    flags: int
    stream: int
    length: int
    payload: bytes


class Frames:
    """Cuts what a victim sends into frames. Trusts it."""

    def __init__(self) -> None:
        self._data = b""

    def receive(self, data: bytes) -> list[Frame]:
        self._data += data
        found = []
        while len(self._data) >= _HEADER.size:
            _, kind, flags, stream, length = _HEADER.unpack_from(self._data)
            end = _HEADER.size + (length if kind == DATA else 0)
            if len(self._data) < end:
                break
            found.append(Frame(kind, flags, stream, length, self._data[_HEADER.size : end]))
            self._data = self._data[end:]
        return found
