"""Links kept small: of many named links, each is its name and one short run of bytes.

The run is the two fields that stand around the name in the encoded link, Hash before it and Tsize behind it,
so that a large directory takes little memory and is written without taking it apart again.
https://ipld.io/specs/codecs/dag-pb/spec/
"""

from __future__ import annotations

from collections.abc import Iterable

from peershelf.blockstore import protobuf, varint
from peershelf.blockstore.cid import Cid

_ONE_BYTE = 0x80
_LINKS_TAG = b"\x12"
_NAME_TAG = b"\x12"
_TAG = 1


def pack(cid: Cid, tsize: int) -> bytes:
    """Return what a link consists of besides its name; `tsize` is bytes of all blocks below it."""
    return protobuf.bytes_field(1, cid.to_bytes()) + protobuf.varint_field(3, tsize)


def cid_length(packed: bytes) -> int:
    """Return the length of the link's binary CID."""
    return varint.decode(packed, _TAG)[0]


def tsize(packed: bytes) -> int:
    """Return the bytes of all blocks below the link."""
    return varint.decode(packed, _name_position(packed) + _TAG)[0]


def encode(name: bytes, packed: bytes) -> bytes:
    """Return a whole link, as it stands in its node."""
    at = _name_position(packed)
    name_length = _length(len(name))
    length = _length(len(packed) + _TAG + len(name_length) + len(name))
    return b"".join((_LINKS_TAG, length, packed[:at], _NAME_TAG, name_length, name, packed[at:]))


def encoded_length(name: bytes, packed: bytes) -> int:
    """Return the length of what encode() would return."""
    length = len(packed) + _TAG + len(_length(len(name))) + len(name)
    return _TAG + len(_length(length)) + length


def encode_node(links: Iterable[bytes], data: bytes) -> bytes:
    """Return the node with these links, each from encode(), and this Data."""
    return b"".join((*links, protobuf.bytes_header(1, len(data)), data))


def _name_position(packed: bytes) -> int:
    if packed[_TAG] < _ONE_BYTE:
        return _TAG + 1 + packed[_TAG]
    length, start = varint.decode(packed, _TAG)
    return start + length


_LENGTHS = tuple(varint.encode(length) for length in range(_ONE_BYTE))


def _length(value: int) -> bytes:
    return _LENGTHS[value] if value < _ONE_BYTE else varint.encode(value)
