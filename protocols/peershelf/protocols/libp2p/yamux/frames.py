"""Yamux frames: a header of 12 bytes, and after that of a data frame its payload.

    version 1 | type 1 | flags 2 | stream ID 4 | length 4        big-endian

`length` is the payload's for data, additional credit for a window update (an error code where the stream is
reset by it), an opaque value for a ping, a reason for a go-away. Stream 0 is the connection itself.
Spec: https://github.com/hashicorp/yamux/blob/master/spec.md
"""

from __future__ import annotations

import struct
from collections import deque
from enum import IntEnum, IntFlag
from typing import NamedTuple

from peershelf.protocols.libp2p.security.codec import MAX_MESSAGE
from peershelf.protocols.libp2p.yamux.errors import YamuxViolation

HEADER_SIZE = 12
MAX_FRAME = MAX_MESSAGE
"""A frame of ours never takes two messages of the secure channel."""
MAX_PAYLOAD = MAX_FRAME - HEADER_SIZE
INITIAL_WINDOW = 262_144
"""Credit that both ends of every stream start with."""
MAX_CREDIT = 0xFFFF_FFFF
CONNECTION = 0
"""The stream ID that stands for the connection."""

_HEADER = struct.Struct(">BBHII")
_VERSION = 0


class Kind(IntEnum):
    """Frame types."""

    DATA = 0
    WINDOW_UPDATE = 1
    PING = 2
    GO_AWAY = 3


class Flag(IntFlag):
    """What a frame says besides its type. On a ping SYN asks and ACK answers."""

    SYN = 1
    ACK = 2
    FIN = 4
    RST = 8


class Reason(IntEnum):
    """Why a connection ends, as a go-away tells."""

    NORMAL = 0
    PROTOCOL_ERROR = 1
    INTERNAL_ERROR = 2


class Header(NamedTuple):
    """One frame's header. A named tuple, because one is made for each frame that comes in."""

    kind: int
    flags: int
    stream_id: int
    length: int


_KNOWN_KINDS = frozenset(Kind)
_STREAM_KINDS = frozenset((Kind.DATA, Kind.WINDOW_UPDATE))
_UNKNOWN_FLAGS = ~int(Flag.SYN | Flag.ACK | Flag.FIN | Flag.RST)


def encode_header(kind: Kind, flags: int, stream_id: int, length: int) -> bytes:
    """Return the 12 bytes of a header."""
    return _HEADER.pack(_VERSION, kind, flags, stream_id, length)


def parse_header(data: bytes | memoryview, offset: int = 0) -> Header:
    """Return the header at `offset`, where 12 bytes must be. Raises YamuxViolation.

    Strict: an unknown version, type or flag, a stream's frame on stream 0 and a connection's elsewhere are
    violations. go-yamux lets the last three pass, but neither it nor rust-yamux ever sends one.
    """
    version, kind, flags, stream_id, length = _HEADER.unpack_from(data, offset)
    if version != _VERSION:
        raise YamuxViolation(f"yamux version {version} is not known")
    if kind not in _KNOWN_KINDS:
        raise YamuxViolation(f"yamux frame type {kind} is not known")
    if flags & _UNKNOWN_FLAGS:
        raise YamuxViolation(f"yamux flags {flags:#06x} are not known")
    if (kind in _STREAM_KINDS) == (stream_id == CONNECTION):
        raise YamuxViolation(f"yamux frame type {kind} does not go with stream {stream_id}")
    return Header(kind, flags, stream_id, length)


class FrameDecoder:
    """Finds frames in a sequence of bytes, however it is cut; keeps at most one incomplete header.

    A payload is not put together but passed on piece by piece, as it comes.
    """

    def __init__(self) -> None:
        self._coming: deque[bytes] = deque()
        self._data = memoryview(b"")
        self._at = 0
        self.due = 0
        """Bytes of the current frame's payload that have not been returned yet."""

    def receive(self, *pieces: bytes) -> None:
        """Take in what came next."""
        self._coming.extend(filter(None, pieces))

    def next(self) -> Header | memoryview | None:
        """Return the next header or piece of payload; None if that takes more bytes. Raises YamuxViolation.

        After a violation there is no way to tell where the next frame starts.
        """
        while True:
            left = len(self._data) - self._at
            if self.due and left:
                return self._payload(left)
            if not self.due and left >= HEADER_SIZE:
                return self._header()
            if not self._coming:
                self._turn_to(bytes(self._data[self._at :]))
                return None
            piece = self._coming.popleft()
            self._turn_to(b"".join((self._data[self._at :], piece)) if left else piece)

    def _turn_to(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._at = 0

    def _header(self) -> Header:
        header = parse_header(self._data, self._at)
        self._at += HEADER_SIZE
        if header.kind == Kind.DATA:
            self.due = header.length
        return header

    def _payload(self, left: int) -> memoryview:
        start = self._at
        size = min(self.due, left)
        self._at += size
        self.due -= size
        return self._data[start : self._at]
