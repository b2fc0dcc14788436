"""Reading dag-json.

Any JSON is read, however it is spaced and ordered, but no key twice, no number that a node cannot hold, and
no text that is not Unicode. The reader keeps a stack of its own: no input makes it recurse.
https://www.rfc-editor.org/rfc/rfc8259 and https://ipld.io/specs/codecs/dag-json/spec/
"""

from __future__ import annotations

import base64
import binascii
import re
from json import JSONDecodeError, JSONDecoder

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import InvalidCid, MalformedBlock
from peershelf.blockstore.ipld.model import MAX_DEPTH, Node, checked_number, too_deep

_BLANK = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WORDS: dict[str, tuple[str, bool | None]] = {
    "t": ("true", True),
    "f": ("false", False),
    "n": ("null", None),
}
_CLOSERS = {"[": "]", "{": "}"}
_JSON = JSONDecoder()  # for strings alone
_LONGEST_INTEGER = 25
# Bytes are two maps here, and none in a node.
_MOST_OPEN = MAX_DEPTH + 2

_Open = list[Node] | dict[str, Node]


class Reader:
    """Reads one node; `links` are the CIDs met so far."""

    def __init__(self, data: bytes) -> None:
        """Raises MalformedBlock."""
        try:
            self._text = data.decode()
        except UnicodeDecodeError:
            raise _malformed("it is not UTF-8") from None
        self._at = 0
        self.links: list[Cid] = []

    def read(self) -> Node:
        """Return the node. Raises MalformedBlock."""
        opened: list[_Open] = []
        keys: list[str] = []  # one for each map that is open: the key that waits for its value
        while True:
            mark = self._next()
            if mark in _CLOSERS and not self._skip(_CLOSERS[mark]):
                if len(opened) >= _MOST_OPEN:
                    raise too_deep()
                opened.append(self._begin(mark, keys))
                continue
            item: Node = self._scalar(mark) if mark not in _CLOSERS else [] if mark == "[" else {}
            while opened and not self._put(item, opened[-1], keys):
                item = self._end(opened.pop())
            if not opened:
                self._expect_the_end()
                return item

    def _begin(self, mark: str, keys: list[str]) -> _Open:
        if mark == "[":
            return []
        keys.append(self._key({}))
        return {}

    def _put(self, item: Node, inside: _Open, keys: list[str]) -> bool:
        """Take an item of a list or map, and what stands behind it: whether another one follows."""
        if isinstance(inside, list):
            inside.append(item)
            return self._another("]")
        inside[keys.pop()] = item
        if self._another("}"):
            keys.append(self._key(inside))
            return True
        return False

    def _another(self, closer: str) -> bool:
        mark = self._next()
        if mark not in (",", closer):
            raise self._unexpected()
        return mark == ","

    def _end(self, node: _Open) -> Node:
        """A map may have been a link, or bytes."""
        if not isinstance(node, dict) or len(node) != 1 or "/" not in node:
            return node
        match node["/"]:
            case str() as text:
                return self._link(text)
            case {"bytes": str() as text, **rest} if not rest:
                return _decode_base64(text)
        return node

    def _link(self, text: str) -> Cid:
        try:
            cid = Cid.parse(text)
        except InvalidCid as error:
            raise _malformed(str(error)) from None
        self.links.append(cid)
        return cid

    def _key(self, inside: dict[str, Node]) -> str:
        if self._next() != '"':
            raise self._unexpected()
        key = self._string()
        if key in inside:
            raise _malformed("a map's key comes twice")
        if self._next() != ":":
            raise self._unexpected()
        return key

    def _scalar(self, mark: str) -> Node:
        if mark == '"':
            return self._string()
        if mark in _WORDS:
            word, value = _WORDS[mark]
            if self._text.startswith(word, self._at - 1):
                self._at += len(word) - 1
                return value
        number = _NUMBER.match(self._text, self._at - 1)
        if number is None:
            raise self._unexpected()
        self._at = number.end()
        if number[1] or number[2]:
            return checked_number(float(number[0]))
        # Python refuses to read very long numbers, and reading long ones takes long.
        if len(number[0]) > _LONGEST_INTEGER:
            raise _malformed("integers have 64 bits at most")
        return checked_number(int(number[0]))

    def _string(self) -> str:
        text: str
        try:
            text, self._at = _JSON.raw_decode(self._text, self._at - 1)
            if not text.isascii():
                text.encode()
        except JSONDecodeError as error:
            raise _malformed(str(error)) from None
        except UnicodeEncodeError:
            raise _malformed("half of a surrogate pair, which is not Unicode") from None
        return text

    def _next(self) -> str:
        """Take the next character that is not blank."""
        self._at = _end_of_blank(self._text, self._at)
        if self._at == len(self._text):
            raise _malformed("it ends early")
        self._at += 1
        return self._text[self._at - 1]

    def _skip(self, mark: str) -> bool:
        """Take the next character that is not blank, if it is this one."""
        self._at = _end_of_blank(self._text, self._at)
        found = self._text.startswith(mark, self._at)
        self._at += found
        return found

    def _expect_the_end(self) -> None:
        if _end_of_blank(self._text, self._at) != len(self._text):
            raise _malformed("there is something behind the node")

    def _unexpected(self) -> MalformedBlock:
        return _malformed(f"unexpected {self._text[self._at - 1]!a} at character {self._at}")


def _end_of_blank(text: str, at: int) -> int:
    blank = _BLANK.match(text, at)
    assert blank is not None
    return blank.end()


def _decode_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise _malformed("bytes that are not base64") from None


def _malformed(reason: str) -> MalformedBlock:
    return MalformedBlock(f"malformed dag-json node: {reason}")
