"""The wire format of protobuf, as far as this project's messages go.

A reader that yields fields in order and writers for single fields. Reading is strict (minimal varints, no
groups), slices instead of copying, and never allocates by a length that the data merely claims.
https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import overload

from peershelf.blockstore import varint
from peershelf.blockstore.buffers import Rope

VARINT = 0
FIXED64 = 1
BYTES = 2
FIXED32 = 5

_FIXED_SIZES = {FIXED64: 8, FIXED32: 4}
_VARINT_FIRST = (VARINT, BYTES)
_MAX_NUMBER = (1 << 29) - 1
_CUT = "malformed message: a field ends early"

Value = int | memoryview
Field = tuple[int, int, Value]
RopeField = tuple[int, int, Value | Rope]


@overload
def fields(data: bytes | memoryview, error: type[Exception]) -> Iterator[Field]: ...


@overload
def fields(data: bytes | memoryview | Rope, error: type[Exception]) -> Iterator[RopeField]: ...


def fields(data: bytes | memoryview | Rope, error: type[Exception]) -> Iterator[RopeField]:
    """Yield (field number, wire type, value) for each field of a message.

    The value is an unsigned int for varints and fixed-width numbers, and a slice of `data` for
    length-delimited fields. Raises `error`, with a reason, at the first thing that is malformed.
    """
    view = data if isinstance(data, Rope) else memoryview(data)
    offset, end = 0, len(view)
    while offset < end:
        # Nearly every key is one byte, and so is what follows it: calls for those would be most of the work.
        key = view[offset]
        offset += 1
        if key >= 0x80:
            key, offset = _varint(view, offset - 1, error)
        number, wire_type = key >> 3, key & 7
        if not 0 < number <= _MAX_NUMBER:
            raise error("malformed message: no such field number")
        if offset < end and view[offset] < 0x80 and wire_type in _VARINT_FIRST:
            found = view[offset]
            offset += 1
        else:
            found, offset = _number(view, offset, wire_type, error)
        if wire_type != BYTES:
            yield number, wire_type, found
            continue
        start, offset = offset, offset + found
        if offset > end:
            raise error(_CUT)
        yield number, wire_type, view[start:offset]


def varints(data: memoryview, error: type[Exception]) -> Iterator[int]:
    """Yield the numbers of a packed repeated field. Raises `error` if they are malformed."""
    offset = 0
    while offset < len(data):
        value, offset = _varint(data, offset, error)
        yield value


def varint_field(number: int, value: int) -> bytes:
    """Encode an unsigned number below 2^64."""
    return varint.encode(number << 3 | VARINT) + varint.encode(value)


def bytes_field(number: int, data: bytes | memoryview) -> bytes:
    """Encode a length-delimited field: bytes, text in UTF-8 or a nested message."""
    return bytes_header(number, len(data)) + data


def bytes_header(number: int, length: int) -> bytes:
    """Encode what precedes the bytes of a length-delimited field, so that big ones need not be copied."""
    return varint.encode(number << 3 | BYTES) + varint.encode(length)


def fixed32_field(number: int, value: int) -> bytes:
    """Encode an unsigned number below 2^32 in four bytes."""
    return varint.encode(number << 3 | FIXED32) + value.to_bytes(4, "little")


def fixed64_field(number: int, value: int) -> bytes:
    """Encode an unsigned number below 2^64 in eight bytes."""
    return varint.encode(number << 3 | FIXED64) + value.to_bytes(8, "little")


def _number(view: memoryview | Rope, offset: int, wire_type: int, error: type[Exception]) -> tuple[int, int]:
    """Read what follows a key: a number, or the length of bytes; return it and the offset just after it."""
    if wire_type in _VARINT_FIRST:
        return _varint(view, offset, error)
    size = _FIXED_SIZES.get(wire_type)
    if size is None:
        raise error("malformed message: unknown wire type")
    if size > len(view) - offset:
        raise error(_CUT)
    return int.from_bytes(bytes(view[offset : offset + size]), "little"), offset + size


def _varint(view: memoryview | Rope, offset: int, error: type[Exception]) -> tuple[int, int]:
    try:
        return varint.decode(view, offset)
    except varint.InvalidVarint as reason:
        raise error(f"malformed message: {reason}") from None
