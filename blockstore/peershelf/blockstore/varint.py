"""Unsigned LEB128 integers, as multiformats and protobuf write them: seven bits a byte, low bits first.

Only the minimal form of a value below 2^64 is accepted, so that every value has exactly one encoding.
https://github.com/multiformats/unsigned-varint
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from peershelf.blockstore.buffers import Rope

MAX_LENGTH = 10
"""Bytes that the largest value, 2^64 - 1, takes."""

_LIMIT = 1 << 64


class InvalidVarint(ValueError):
    """Bytes that do not start with a minimal varint below 2^64."""


class TruncatedVarint(InvalidVarint):
    """The bytes end inside a varint that is well-formed so far."""


def encode(value: int) -> bytes:
    """Return the minimal encoding, 1 to 10 bytes. Raises InvalidVarint outside 0 … 2^64 - 1."""
    if 0 <= value < 0x80:
        return bytes((value,))
    if not 0 <= value < _LIMIT:
        raise InvalidVarint("a varint holds 0 to 2^64 - 1")
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def decode(data: bytes | bytearray | memoryview | Rope, offset: int = 0) -> tuple[int, int]:
    """Read one varint at `offset`; return the value and the offset just after it.

    Raises TruncatedVarint where more bytes could still make it whole, else InvalidVarint.
    """
    if offset >= len(data):
        raise TruncatedVarint("varint ends early")
    byte = data[offset]
    if byte < 0x80:
        return byte, offset + 1
    value = byte & 0x7F
    for position in range(1, MAX_LENGTH):
        if offset + position >= len(data):
            raise TruncatedVarint("varint ends early")
        byte = data[offset + position]
        value |= (byte & 0x7F) << 7 * position
        if byte < 0x80:
            return _checked(value, byte), offset + position + 1
    raise InvalidVarint("varint is longer than 10 bytes")


def _checked(value: int, last_byte: int) -> int:
    if last_byte == 0:
        raise InvalidVarint("varint is not in its shortest form")
    if value >= _LIMIT:
        raise InvalidVarint("varint is 2^64 or more")
    return value
