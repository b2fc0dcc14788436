"""The dag-cbor codec, reading and writing.

Theory of operation. A block's hash covers its bytes, so every node has one encoding: numbers and lengths in
their shortest form, floats always in 64 bits, map keys sorted by length and then by bytes, each once, links
as tag 42, nothing of indefinite length, nothing behind the node. What is not in this form is refused, since
two nodes that say the same would be two blocks. Nothing is ever allocated by a length that the bytes merely
claim. https://ipld.io/specs/codecs/dag-cbor/spec/
"""

from __future__ import annotations

import struct
from operator import itemgetter

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import InvalidCid, MalformedBlock
from peershelf.blockstore.ipld.model import MAX_DEPTH, Node, checked_number, too_deep

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _LIST, _MAP, _TAG, _SIMPLE = range(8)
_CONSTANTS: dict[int, bool | None] = {0xF4: False, 0xF5: True, 0xF6: None}
_FALSE, _TRUE, _NULL = b"\xf4", b"\xf5", b"\xf6"
_FLOAT = 0xFB
_CID_TAG = 42
_CID_PREFIX = b"\0"
_DOUBLE = struct.Struct(">d")
_LENGTHS = {24: (1, 24), 25: (2, 1 << 8), 26: (4, 1 << 16), 27: (8, 1 << 32)}
"""By the low bits of an item's first byte: how many bytes its number has, and the least that needs them."""


def decode(data: bytes) -> Node:
    """Read a node. Raises MalformedBlock for anything that is not its one encoding."""
    return _Reader(data).read()


def links(data: bytes) -> tuple[Cid, ...]:
    """Return the CIDs in a node, in the order of its bytes, with repetitions. Raises MalformedBlock."""
    reader = _Reader(data)
    reader.read()
    return tuple(reader.links)


def encode(node: Node) -> bytes:
    """Return the bytes of a node. Raises MalformedBlock for what the codec cannot hold."""
    parts: list[bytes] = []
    _write(node, parts, 0)
    return b"".join(parts)


class _Reader:
    """Goes through the bytes once; `links` are those met so far."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self.links: list[Cid] = []

    def read(self) -> Node:
        node = self._item(0)
        if self._at != len(self._data):
            raise _malformed("there are bytes behind the node")
        return node

    def _item(self, depth: int) -> Node:
        first = self._byte()
        if first >= _SIMPLE << 5:
            return self._simple(first)
        kind, number = first >> 5, self._number(first)
        if kind >= _LIST and depth >= MAX_DEPTH:
            raise too_deep()
        match kind:
            case 0:
                return number
            case 1:
                return -1 - number
            case 2:
                return self._take(number)
            case 3:
                return self._text(number)
            case 4:
                return self._list(number, depth)
            case 5:
                return self._map(number, depth)
        return self._link(number)

    def _simple(self, first: int) -> Node:
        if first == _FLOAT:
            (value,) = _DOUBLE.unpack(self._take(8))
            return checked_number(value)
        if first not in _CONSTANTS:
            raise _malformed("a value of no kind that is allowed")
        return _CONSTANTS[first]

    def _list(self, length: int, depth: int) -> list[Node]:
        self._expect(length)
        return [self._item(depth + 1) for _ in range(length)]

    def _map(self, length: int, depth: int) -> dict[str, Node]:
        self._expect(2 * length)
        node: dict[str, Node] = {}
        before: tuple[int, bytes] | None = None
        for _ in range(length):
            first = self._byte()
            if first >> 5 != _TEXT:
                raise _malformed("a map has a key that is no text")
            start = self._at
            key = self._text(self._number(first))
            order = (self._at - start, self._data[start : self._at])
            if before is not None and order <= before:
                raise _malformed("a map's keys are not in order, or come twice")
            before = order
            node[key] = self._item(depth + 1)
        return node

    def _link(self, tag: int) -> Cid:
        first = self._byte()
        if tag != _CID_TAG or first >> 5 != _BYTES:
            raise _malformed("a tag that is no link")
        data = self._take(self._number(first))
        if not data.startswith(_CID_PREFIX):
            raise _malformed("a link that is no CID")
        try:
            cid = Cid.from_bytes(data[1:])
        except InvalidCid as error:
            raise _malformed(str(error)) from None
        self.links.append(cid)
        return cid

    def _text(self, length: int) -> str:
        try:
            return self._take(length).decode()
        except UnicodeDecodeError:
            raise _malformed("a text that is not UTF-8") from None

    def _number(self, first: int) -> int:
        low = first & 0x1F
        if low < 24:
            return low
        if low not in _LENGTHS:
            raise _malformed("a length that is not told")
        size, least = _LENGTHS[low]
        number = int.from_bytes(self._take(size), "big")
        if number < least:
            raise _malformed("a number that is not in its shortest form")
        return number

    def _expect(self, items: int) -> None:
        """Refuse to begin what cannot be there: each item takes a byte at least."""
        if items > len(self._data) - self._at:
            raise _malformed("it ends early")

    def _take(self, length: int) -> bytes:
        self._expect(length)
        self._at += length
        return self._data[self._at - length : self._at]

    def _byte(self) -> int:
        self._expect(1)
        self._at += 1
        return self._data[self._at - 1]


def _malformed(reason: str) -> MalformedBlock:
    return MalformedBlock(f"malformed dag-cbor node: {reason}")


def _write(node: Node, parts: list[bytes], depth: int) -> None:
    if depth > MAX_DEPTH:
        raise too_deep()
    if isinstance(node, list):
        parts.append(_head(_LIST, len(node)))
        for item in node:
            _write(item, parts, depth + 1)
    elif isinstance(node, dict):
        parts.append(_head(_MAP, len(node)))
        # A longer key has a greater head, so bytes alone give the order.
        for key, item in sorted(((_text(key), item) for key, item in node.items()), key=itemgetter(0)):
            parts.append(key)
            _write(item, parts, depth + 1)
    else:
        parts.append(_scalar(node))


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
            return bytes([_FLOAT]) + _DOUBLE.pack(checked_number(node))
        case str():
            return _text(node)
        case bytes():
            return _head(_BYTES, len(node)) + node
        case Cid():
            data = _CID_PREFIX + node.to_bytes()
            return _head(_TAG, _CID_TAG) + _head(_BYTES, len(data)) + data
    raise MalformedBlock(f"dag-cbor cannot hold a {type(node).__name__}")


def _text(text: str) -> bytes:
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise MalformedBlock("texts are valid Unicode") from None
    return _head(_TEXT, len(data)) + data


def _head(kind: int, number: int) -> bytes:
    if number < 24:
        return bytes([kind << 5 | number])
    for low, (size, _) in _LENGTHS.items():
        if number < 1 << 8 * size:
            return bytes([kind << 5 | low]) + number.to_bytes(size, "big")
    raise AssertionError("checked before")
