"""The dag-json codec, reading and writing.

JSON in which a link is `{"/": "CID"}` and bytes are `{"/": {"bytes": "base64"}}`. Written without blanks, map
keys in the order of their bytes, numbers and escapes as Kubo writes them, so that the same node is the same
block. Reading takes any JSON of that meaning, but no key twice. https://ipld.io/specs/codecs/dag-json/spec/
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from decimal import Decimal
from typing import Any

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import InvalidCid, MalformedBlock
from peershelf.blockstore.ipld.model import MAX_DEPTH, Node, checked_number, too_deep

_ESCAPED = re.compile(r'[\x00-\x1f"\\\u2028\u2029]')
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_LINK = "/"
_BYTES = "bytes"


def decode(data: bytes) -> Node:
    """Read a node. Raises MalformedBlock."""
    return _Reader().read(data)


def links(data: bytes) -> tuple[Cid, ...]:
    """Return the CIDs in a node, in the order of its bytes, with repetitions. Raises MalformedBlock."""
    reader = _Reader()
    reader.read(data)
    return tuple(reader.links)


def encode(node: Node) -> bytes:
    """Return the bytes of a node. Raises MalformedBlock for what the codec cannot hold."""
    parts: list[str] = []
    _write(node, parts, 0)
    try:
        return "".join(parts).encode()
    except UnicodeEncodeError:
        raise MalformedBlock("texts are valid Unicode") from None


class _Reader:
    """Turns JSON's objects into maps, links and bytes; `links` are those met so far."""

    def __init__(self) -> None:
        self.links: list[Cid] = []

    def read(self, data: bytes) -> Node:
        try:
            node = json.loads(
                data.decode(),
                object_pairs_hook=self._object,
                parse_int=_integer,
                parse_float=lambda text: checked_number(float(text)),
                parse_constant=_no_constant,
            )
        except MalformedBlock:
            raise
        except RecursionError:
            raise too_deep() from None
        except ValueError as error:
            raise _malformed(
                "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
            ) from None
        _check_texts(node)
        return node  # type: ignore[no-any-return]

    def _object(self, pairs: list[tuple[str, Any]]) -> Node:
        node = dict(pairs)
        if len(node) != len(pairs):
            raise _malformed("a map's key comes twice")
        if list(node) != [_LINK]:
            return node
        match node[_LINK]:
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


def _integer(text: str) -> int:
    # Python refuses to read very long numbers, and reading long ones takes long.
    if len(text) > 25:
        raise _malformed("integers have 64 bits at most")
    return int(checked_number(int(text)))


def _no_constant(text: str) -> Node:
    raise _malformed("floats are finite numbers")


def _decode_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise _malformed("bytes that are not base64") from None


def _check_texts(node: Node) -> None:
    """Refuse halves of surrogate pairs, and what is nested so deep that writing it would fail."""
    pending: list[tuple[Node, int]] = [(node, 0)]
    while pending:
        one, depth = pending.pop()
        if depth > MAX_DEPTH:
            raise too_deep()
        if isinstance(one, str):
            _check_text(one)
        elif isinstance(one, list):
            pending += ((item, depth + 1) for item in one)
        elif isinstance(one, dict):
            for key, item in one.items():
                _check_text(key)
                pending.append((item, depth + 1))


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _malformed("texts are valid Unicode") from None


def _malformed(reason: str) -> MalformedBlock:
    return MalformedBlock(f"malformed dag-json node: {reason}")


def _write(node: Node, parts: list[str], depth: int) -> None:
    if depth > MAX_DEPTH:
        raise too_deep()
    if isinstance(node, list):
        _write_list(node, parts, depth)
    elif isinstance(node, dict):
        _write_map(node, parts, depth)
    else:
        parts.append(_scalar(node))


def _scalar(node: Node) -> str:
    match node:
        case None:
            return "null"
        case bool():
            return "true" if node else "false"
        case int():
            return str(checked_number(node))
        case float():
            return _float(checked_number(node))
        case str():
            return _quoted(node)
        case bytes():
            return '{"/":{"bytes":"' + base64.b64encode(node).decode().rstrip("=") + '"}}'
        case Cid():
            return f'{{"/":"{node}"}}'
    raise MalformedBlock(f"dag-json cannot hold a {type(node).__name__}")


def _write_list(node: list[Node], parts: list[str], depth: int) -> None:
    parts.append("[")
    for number, item in enumerate(node):
        if number:
            parts.append(",")
        _write(item, parts, depth + 1)
    parts.append("]")


def _write_map(node: dict[str, Node], parts: list[str], depth: int) -> None:
    if _is_reserved(node):
        raise MalformedBlock("dag-json cannot hold this map: it would read as a link or as bytes")
    parts.append("{")
    for number, key in enumerate(sorted(node, key=lambda key: key.encode("utf-8", "surrogatepass"))):
        parts += "," if number else "", _quoted(key), ":"
        _write(node[key], parts, depth + 1)
    parts.append("}")


def _is_reserved(node: dict[str, Node]) -> bool:
    if list(node) != [_LINK]:
        return False
    inner = node[_LINK]
    return isinstance(inner, str) or (
        isinstance(inner, dict) and list(inner) == [_BYTES] and isinstance(inner[_BYTES], str)
    )


def _quoted(text: str) -> str:
    return '"' + _ESCAPED.sub(lambda match: _ESCAPES.get(match[0]) or f"\\u{ord(match[0]):04x}", text) + '"'


def _float(value: float) -> str:
    """The shortest decimal that means the same; with an exponent below 10^-6 and from 10^21 on."""
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else "0"
    if 1e-6 <= abs(value) < 1e21:
        text = format(Decimal(repr(value)), "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    digits, _, exponent = repr(value).partition("e")
    return f"{digits.removesuffix('.0')}e{int(exponent):+d}"
