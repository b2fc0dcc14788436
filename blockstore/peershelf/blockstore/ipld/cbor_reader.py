"""Reading dag-cbor.

Theory of operation. Two blocks that say the same are two blocks, so what is not in the one canonical form is
refused: a number that could be shorter, keys out of order, a float of fewer bits, a length that is not told,
bytes behind the node. Canonical form is checked wherever bytes are read, so that no stranger's bytes reach a
second reader that takes them otherwise. The reader keeps a stack of its own, so that no input makes it
recurse, and nothing is ever allocated by a length that the bytes merely claim.
https://ipld.io/specs/codecs/dag-cbor/spec/#strictness
"""

from __future__ import annotations

import re
import struct
import sys
from itertools import repeat

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import InvalidCid, MalformedBlock
from peershelf.blockstore.ipld.model import MAX_DEPTH, Node, checked_number, too_deep

_BYTES, _TEXT, _LIST, _MAP, _TAG, _SIMPLE = range(2, 8)
_FLOAT = 0xFB
_CID_TAG = 42
_CID_PREFIX = b"\0"
_DOUBLE = struct.Struct(">d")
_LENGTHS = {24: (1, 24), 25: (2, 1 << 8), 26: (4, 1 << 16), 27: (8, 1 << 32)}
"""By the low bits of an item's first byte: how many bytes its number has, and the least that needs them."""
_SHORT: dict[int, Node] = {
    **{number: number for number in range(24)},
    **{0x20 + number: -1 - number for number in range(24)},
    0x40: b"",
    0x60: "",
    0xF4: False,
    0xF5: True,
    0xF6: None,
}
"""Items that are one byte, without lists and maps."""
_SHORT_RUN = re.compile(b"[" + b"".join(re.escape(bytes([byte])) for byte in _SHORT) + b"]+")
_IN_LIST: bytes | None = None
_Open = list[Node] | dict[str, Node]


class Reader:
    """Goes through the bytes once, with a stack of its own; `links` are those met so far.

    Unless it is to `build` the node, it only sees that the bytes are right. Of a node that takes more than
    `most` steps, which are about its items, the rest is not read.
    """

    def __init__(self, data: bytes, *, build: bool, most: int = sys.maxsize) -> None:
        self._data = data
        self._build = build
        self._most = most
        self._at = 0
        self.links: list[Cid] = []

    def read(self) -> Node:
        top: list[Node] = []
        # The list or map that is being read, how many items are left of it, and its last key as it stands in
        # the bytes: none for a list.
        node: _Open = top
        left, before = 1, _IN_LIST
        stack: list[tuple[_Open, int, bytes | None]] = []
        for _ in repeat(None, self._most):
            if not left:
                if not stack:
                    break
                node, left, before = stack.pop()
                continue
            if before is None:
                left -= self._short_items(node, left)
                if not left:
                    continue
            else:
                before = self._key(before)
            left -= 1
            first = self._byte()
            if first >> 5 not in (_LIST, _MAP):
                self._put(node, before, self._scalar(first))
                continue
            if len(stack) >= MAX_DEPTH:
                raise too_deep()
            stack.append((node, left, before))
            inner, left, before = self._open(first)
            self._put(node, stack[-1][2], inner)
            node = inner
        else:
            raise _malformed("it has too many items")
        if self._at != len(self._data):
            raise _malformed("there are bytes behind the node")
        return top[0] if self._build else None

    def _put(self, node: _Open, key: bytes | None, item: Node) -> None:
        if not self._build:
            return
        if isinstance(node, list):
            node.append(item)
        elif key is not None:
            node[_without_head(key).decode()] = item

    def _short_items(self, node: _Open, most: int) -> int:
        """Read what comes next of items that are one byte each; return how many there were."""
        run = _SHORT_RUN.match(self._data, self._at, min(self._at + most, len(self._data)))
        if run is None:
            return 0
        self._at = run.end()
        if self._build and isinstance(node, list):
            node += [_SHORT[byte] for byte in run[0]]
        return len(run[0])

    def _open(self, first: int) -> tuple[_Open, int, bytes | None]:
        """Begin a list or map. Refuse what cannot be there: each item takes a byte at least."""
        length = self._number(first)
        if first >> 5 == _LIST:
            self._expect(length)
            return [], length, _IN_LIST
        self._expect(2 * length)
        return {}, length, b""

    def _key(self, before: bytes) -> bytes:
        """Read a key and return it as it stands there, with its head."""
        start = self._at
        first = self._byte()
        if first >> 5 != _TEXT:
            raise _malformed("a map has a key that is no text")
        self._read_text(self._number(first))
        key = self._data[start : self._at]
        if key <= before:
            raise _malformed("a map's keys are not in order, or come twice")
        return key

    def _scalar(self, first: int) -> Node:
        kind = first >> 5
        if kind == _SIMPLE:
            return self._simple(first)
        number = self._number(first)
        match kind:
            case 0:
                return number
            case 1:
                return -1 - number
            case 2:
                return self._take(number)
            case 3:
                return self._read_text(number)
        return self._link(number)

    def _simple(self, first: int) -> Node:
        if first == _FLOAT:
            (value,) = _DOUBLE.unpack(self._take(8))
            return checked_number(value)
        if first not in _SHORT:
            raise _malformed("a value of no kind that is allowed")
        return _SHORT[first]

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

    def _read_text(self, length: int) -> str:
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


def _without_head(text: bytes) -> bytes:
    low = text[0] & 0x1F
    return text[1 if low < 24 else 1 + _LENGTHS[low][0] :]


def _malformed(reason: str) -> MalformedBlock:
    return MalformedBlock(f"malformed dag-cbor node: {reason}")
