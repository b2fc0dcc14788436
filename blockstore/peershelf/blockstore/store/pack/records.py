"""Records: what a segment is made of, and how one is told from damage.

The format is in docs/store-format.md. A record is header, key (a multihash) and payload; header and key have
a checksum of their own, so that the record's length can be trusted when only its payload is damaged.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

from zlib_ng.zlib_ng import crc32

from peershelf.blockstore.block import MAX_BLOCK_SIZE

MARK_SIZE = 8
"""Bytes of the random mark that every record of one segment starts with."""

_FIELDS = struct.Struct("<8sBBII")
_CHECKSUM = struct.Struct("<I")
HEADER_SIZE = _FIELDS.size + _CHECKSUM.size
MAX_HEAD_SIZE = HEADER_SIZE + 255
"""Bytes before a payload, at most."""


class Kind(IntEnum):
    """What a record says about its key."""

    BLOCK = 1
    TOMBSTONE = 2


@dataclass(frozen=True, slots=True)
class Head:
    """A record without its payload."""

    kind: Kind
    key: bytes
    payload_size: int
    payload_checksum: int

    @property
    def size(self) -> int:
        """Bytes from the record's start to its payload."""
        return HEADER_SIZE + len(self.key)


def record_size(key: bytes, payload: bytes) -> int:
    """Return the bytes that a record takes in its segment."""
    return HEADER_SIZE + len(key) + len(payload)


def encode_head(mark: bytes, kind: Kind, key: bytes, payload: bytes | memoryview) -> bytes:
    """Return header and key; the payload follows them on disk."""
    fields = _FIELDS.pack(mark, kind, len(key), len(payload), crc32(payload))
    return fields + _CHECKSUM.pack(crc32(key, crc32(fields))) + key


def decode_head(mark: bytes, data: bytes) -> Head | None:
    """Read the head that starts at the first byte of `data`; None if there is no sound one."""
    if len(data) < HEADER_SIZE or not data.startswith(mark):
        return None
    _, kind, key_size, payload_size, payload_checksum = _FIELDS.unpack_from(data)
    key = data[HEADER_SIZE : HEADER_SIZE + key_size]
    if len(key) != key_size or payload_size > MAX_BLOCK_SIZE or kind not in (Kind.BLOCK, Kind.TOMBSTONE):
        return None
    (checksum,) = _CHECKSUM.unpack_from(data, _FIELDS.size)
    if checksum != crc32(key, crc32(data[: _FIELDS.size])):
        return None
    return Head(Kind(kind), key, payload_size, payload_checksum)
