"""The dag-cbor codec, writing; `cbor_reader` is the other direction.

A block's hash covers its bytes, so every node has one encoding: numbers and lengths in their shortest form,
floats always in 64 bits, map keys sorted by length and then by bytes, each once, links as tag 42.
https://ipld.io/specs/codecs/dag-cbor/spec/
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator
from functools import partial
from operator import itemgetter

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import MalformedBlock
from peershelf.blockstore.ipld.cbor_reader import Reader
from peershelf.blockstore.ipld.model import Node, checked_number, write

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _LIST, _MAP, _TAG = range(7)
_FALSE, _TRUE, _NULL = b"\xf4", b"\xf5", b"\xf6"
_FLOAT = struct.Struct(">Bd")
_FLOAT_HEAD = 0xFB
_CID_TAG = 42
_CID_PREFIX = b"\0"
_SIZES = {24: 1, 25: 2, 26: 4, 27: 8}
"""By the low bits of an item's first byte: how many bytes its number has."""


def decode(data: bytes, *, most: int = sys.maxsize) -> Node:
    """Read a node of about `most` items at most. Raises MalformedBlock for what is not its one encoding."""
    return Reader(data, build=True, most=most).read()


def links(data: bytes) -> tuple[Cid, ...]:
    """Return the CIDs in a node, in the order of its bytes, with repetitions. Raises as decode() does."""
    reader = Reader(data, build=False)
    reader.read()
    return tuple(reader.links)


def encode(node: Node) -> bytes:
    """Return the bytes of a node. Raises MalformedBlock for what the codec cannot hold."""
    parts: list[bytes] = []
    write(node, lambda scalar: parts.append(_scalar(scalar)), partial(_contents, parts))
    return b"".join(parts)


def _contents(parts: list[bytes], node: list[Node] | dict[str, Node]) -> Iterator[Node]:
    parts.append(_head(_LIST if isinstance(node, list) else _MAP, len(node)))
    return iter(node) if isinstance(node, list) else _values(node, parts)


def _values(node: dict[str, Node], parts: list[bytes]) -> Iterator[Node]:
    """Write each key before its value is asked for. A longer key has a greater head: bytes give the order."""
    for key, item in sorted(((_text(key), item) for key, item in node.items()), key=itemgetter(0)):
        parts.append(key)
        yield item


def _scalar(node: Node) -> bytes:
    match node:
        case None:
            return _NULL
        case bool():
            return _TRUE if node else _FALSE
        case int():
            checked_number(node)
            return _head(_UNSIGNED, node) if node >= 0 else _head(_NEGATIVE, -1 - node)
        case float():
            return _FLOAT.pack(_FLOAT_HEAD, checked_number(node))
        case str():
            return _text(node)
        case bytes():
            return _head(_BYTES, len(node)) + node
        case Cid():
            data = _CID_PREFIX + node.to_bytes()
            return _head(_TAG, _CID_TAG) + _head(_BYTES, len(data)) + data
    raise MalformedBlock(f"dag-cbor cannot hold a {type(node).__name__}")


def _text(text: str) -> bytes:
    if not isinstance(text, str):
        raise MalformedBlock("a map's keys are texts")
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise MalformedBlock("texts are valid Unicode") from None
    return _head(_TEXT, len(data)) + data


def _head(kind: int, number: int) -> bytes:
    if number < 24:
        return bytes([kind << 5 | number])
    for low, size in _SIZES.items():
        if number < 1 << 8 * size:
            return bytes([kind << 5 | low]) + number.to_bytes(size, "big")
    raise AssertionError("checked before")
