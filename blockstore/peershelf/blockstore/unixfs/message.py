"""UnixFS `Data` messages: what the Data field of a dag-pb node says about a file or directory.

https://specs.ipfs.tech/unixfs/
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from peershelf.blockstore import protobuf
from peershelf.blockstore.errors import MalformedBlock

_BLOCKSIZES = 4
_WIRE_TYPES = {
    1: protobuf.VARINT,
    2: protobuf.BYTES,
    3: protobuf.VARINT,
    5: protobuf.VARINT,
    6: protobuf.VARINT,
    7: protobuf.VARINT,
    8: protobuf.BYTES,
}
_LAST_FIELD = 8


class DataType(IntEnum):
    """What a UnixFS node is."""

    RAW = 0
    DIRECTORY = 1
    FILE = 2
    METADATA = 3
    SYMLINK = 4
    HAMT = 5


@dataclass(frozen=True, slots=True)
class Mtime:
    """A time since 1970; fields as written, `nanoseconds` None where it is left out."""

    seconds: int
    nanoseconds: int | None = None

    @classmethod
    def of(cls, nanoseconds: int) -> Self:
        """Return the time that is so many nanoseconds after 1970, as stat() gives it."""
        seconds, rest = divmod(nanoseconds, 1_000_000_000)
        return cls(seconds, rest or None)


@dataclass(frozen=True, slots=True)
class Data:
    """A UnixFS message. A field that is None is absent, which is not the same bytes as zero or empty."""

    type: DataType
    data: bytes | None = None
    filesize: int | None = None
    blocksizes: tuple[int, ...] = ()
    """File bytes below each link, in the links' order."""
    hash_type: int | None = None
    fanout: int | None = None
    mode: int | None = None
    mtime: Mtime | None = None


def encode(message: Data) -> bytes:
    """Return the bytes as Kubo writes them: fields in order, block sizes not packed."""
    parts = [protobuf.varint_field(1, message.type)]
    if message.data is not None:
        parts += (protobuf.bytes_header(2, len(message.data)), message.data)
    if message.filesize is not None:
        parts.append(protobuf.varint_field(3, message.filesize))
    parts += (protobuf.varint_field(4, size) for size in message.blocksizes)
    for number, value in ((5, message.hash_type), (6, message.fanout), (7, message.mode)):
        if value is not None:
            parts.append(protobuf.varint_field(number, value))
    if message.mtime is not None:
        parts.append(protobuf.bytes_field(8, _encode_mtime(message.mtime)))
    return b"".join(parts)


def decode(data: bytes) -> Data:
    """Read a message with its fields in any order and block sizes packed or not.

    Fields that are not known here are passed over. Raises MalformedBlock.
    """
    numbers: dict[int, int] = {}
    contents: dict[int, memoryview] = {}
    sizes: list[int] = []
    for number, wire_type, value in protobuf.fields(data, MalformedBlock):
        if number == _BLOCKSIZES:
            sizes.extend(_decode_sizes(wire_type, value))
        elif number <= _LAST_FIELD:
            if wire_type != _WIRE_TYPES[number] or number in numbers or number in contents:
                raise MalformedBlock("malformed UnixFS message: wrong wire type or repeated field")
            if isinstance(value, int):
                numbers[number] = value
            else:
                contents[number] = value
    return Data(
        type=_decode_type(numbers.get(1)),
        data=bytes(contents[2]) if 2 in contents else None,
        filesize=numbers.get(3),
        blocksizes=tuple(sizes),
        hash_type=numbers.get(5),
        fanout=numbers.get(6),
        mode=_decode_mode(numbers.get(7)),
        mtime=_decode_mtime(contents[8]) if 8 in contents else None,
    )


def _decode_sizes(wire_type: int, value: protobuf.Value) -> Iterable[int]:
    if wire_type == protobuf.VARINT and isinstance(value, int):
        return (value,)
    if wire_type == protobuf.BYTES and isinstance(value, memoryview):
        return protobuf.varints(value, MalformedBlock)
    raise MalformedBlock("malformed UnixFS message: wrong wire type of block sizes")


def _decode_type(value: int | None) -> DataType:
    try:
        return DataType(-1 if value is None else value)
    except ValueError:
        raise MalformedBlock("malformed UnixFS message: no known type") from None


def _decode_mode(value: int | None) -> int | None:
    if value is not None and value >= 1 << 32:
        raise MalformedBlock("malformed UnixFS message: mode over 32 bits")
    return value


def _encode_mtime(mtime: Mtime) -> bytes:
    seconds = protobuf.varint_field(1, mtime.seconds % (1 << 64))
    if mtime.nanoseconds is None:
        return seconds
    return seconds + protobuf.fixed32_field(2, mtime.nanoseconds)


def _decode_mtime(data: memoryview) -> Mtime:
    seconds: int | None = None
    nanoseconds: int | None = None
    for number, wire_type, value in protobuf.fields(data, MalformedBlock):
        match number, wire_type, value:
            case 1, protobuf.VARINT, int() if seconds is None:
                seconds = value - (1 << 64) if value >> 63 else value
            case 2, protobuf.FIXED32, int() if nanoseconds is None:
                nanoseconds = value
            case _:
                raise MalformedBlock("malformed UnixFS time: unknown or repeated field, or wrong wire type")
    if seconds is None:
        raise MalformedBlock("malformed UnixFS time: no seconds")
    return Mtime(seconds, nanoseconds)
