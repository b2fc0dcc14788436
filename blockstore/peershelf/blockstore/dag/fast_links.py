"""The links of a block, as (codec, multihash) alone: for walks over a million blocks that need no more.

dag-pb is read by two means. A file's node is a long row of links of one shape: a regular expression checks
that, and they are cut at equal distances, a twentieth of a microsecond each, where all have one size. Any
other node is gone through field by field. Both find every link of a node that is sound; of a malformed one
they may find links that pb.decode() would refuse to see, which is harmless where links say what to keep.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable

from peershelf.blockstore import varint
from peershelf.blockstore.cid import DAG_PB, RAW, Cid
from peershelf.blockstore.dag.links import links
from peershelf.blockstore.errors import InvalidCid, MalformedBlock

Target = tuple[int, bytes]
"""The codec and the multihash of a CID."""

# CIDv1 of one codec under SHA2-256, an empty name, and a size.
_RAW_LINK = rb"\x12[\x2a-\x34]\x0a\x24\x01\x55(\x12\x20.{32})\x12\x00\x18[\x80-\xff]{0,9}[\x00-\x7f]"
_BEFORE_HASH, _HASH = 6, 34
"""Bytes of such a link up to its multihash, and of that."""
_ONE_RAW = re.compile(_RAW_LINK, re.DOTALL)
_ALL_RAW = re.compile(rb"(?:" + _RAW_LINK.replace(rb"(\x12", rb"(?:\x12") + rb")++", re.DOTALL)

_LINK_TAG = 0x12
_DATA_TAG = 0x0A
_HASH_TAG = 0x0A
_V0_HEAD = b"\x12\x20"
_V1_HEAD = b"\x01"
_CID_V1 = 36


def raw_leaves(data: bytes) -> list[bytes] | None:
    """Return the multihashes that a dag-pb node links to if all are raw leaves of a file, else None."""
    row = _ALL_RAW.match(data)
    if row is None or not _is_data_to_the_end(data, row.end()):
        return None
    return _of_one_size(data, row.end()) or _ONE_RAW.findall(data, 0, row.end())


def _of_one_size(data: bytes, end: int) -> list[bytes]:
    """The multihashes of raw links up to `end` if all links are as long as the first, else []."""
    size = data[1] + 2
    if data[1:end:size] != data[1:2] * (end // size):
        return []
    step = struct.Struct(f"{_BEFORE_HASH}x{_HASH}s{size - _BEFORE_HASH - _HASH}x")
    return [key for (key,) in step.iter_unpack(data[:end])]


def targets(cid: Cid, data: bytes) -> Iterable[Target]:
    """Return what a block links to, with repetitions.

    Raises UnsupportedCodec for a codec that cannot be read, MalformedBlock.
    """
    if cid.codec == RAW:
        return ()
    if cid.codec != DAG_PB:
        return [(link.codec, link.multihash) for link in links(cid, data)]
    try:
        return list(_pb_targets(data))
    except (IndexError, ValueError) as error:
        raise MalformedBlock(f"malformed dag-pb node: {error}") from None


def _pb_targets(data: bytes) -> Iterable[Target]:
    offset, end = 0, len(data)
    while offset < end:
        tag = data[offset]
        length, start = data[offset + 1], offset + 2
        if length >= 0x80:
            length, start = varint.decode(data, offset + 1)
        offset = start + length
        if offset > end:
            raise MalformedBlock("malformed dag-pb node: a field is longer than its node")
        if tag == _LINK_TAG:
            yield _target(data, start, offset)
        elif tag != _DATA_TAG:
            raise MalformedBlock("malformed dag-pb node: unknown field")


def _target(data: bytes, start: int, end: int) -> Target:
    """The CID of a link, which is its first field."""
    length = data[start + 1]
    at = start + 2
    if data[start] != _HASH_TAG or at + length > end:
        raise MalformedBlock("malformed dag-pb link: no CID")
    if length == _CID_V1 and data.startswith(_V1_HEAD, at) and data[at + 1] < 0x80:
        return data[at + 1], data[at + 2 : at + length]
    if length >= 0x80:
        length, at = varint.decode(data, start + 1)
    try:
        cid = Cid.from_bytes(data[at : at + length])
    except InvalidCid as error:
        raise MalformedBlock(f"malformed dag-pb link: {error}") from None
    return cid.codec, cid.multihash


def _is_data_to_the_end(data: bytes, offset: int) -> bool:
    if offset == len(data):
        return True
    if data[offset] != _DATA_TAG:
        return False
    try:
        length, start = varint.decode(data, offset + 1)
    except ValueError:
        return False
    return start + length == len(data)
