"""The dag-json codec, writing; `json_reader` is the other direction.

JSON in which a link is `{"/": "CID"}` and bytes are `{"/": {"bytes": "base64"}}`. Written without blanks, map
keys in the order of their bytes, numbers and escapes as Kubo writes them, so that the same node is the same
block. https://ipld.io/specs/codecs/dag-json/spec/
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Iterator
from decimal import Decimal
from functools import partial

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import MalformedBlock
from peershelf.blockstore.ipld.json_reader import Reader
from peershelf.blockstore.ipld.model import Node, checked_number, write

_ESCAPED = re.compile(r'[\x00-\x1f"\\\u2028\u2029]')
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_LINK = "/"
_BYTES = "bytes"


def decode(data: bytes) -> Node:
    """Read a node. Raises MalformedBlock."""
    return Reader(data).read()


def links(data: bytes) -> tuple[Cid, ...]:
    """Return the CIDs in a node, in the order of its bytes, with repetitions. Raises MalformedBlock."""
    reader = Reader(data)
    reader.read()
    return tuple(reader.links)


def encode(node: Node) -> bytes:
    """Return the bytes of a node. Raises MalformedBlock for what the codec cannot hold."""
    parts: list[str] = []
    write(node, lambda scalar: parts.append(_scalar(scalar)), partial(_contents, parts))
    try:
        return "".join(parts).encode()
    except UnicodeEncodeError:
        raise MalformedBlock("texts are valid Unicode") from None


def _contents(parts: list[str], node: list[Node] | dict[str, Node]) -> Iterator[Node]:
    return _items(node, parts) if isinstance(node, list) else _values(node, parts)


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


def _items(node: list[Node], parts: list[str]) -> Iterator[Node]:
    """Write what stands around the items, each of which is written while this waits."""
    parts.append("[")
    for number, item in enumerate(node):
        if number:
            parts.append(",")
        yield item
    parts.append("]")


def _values(node: dict[str, Node], parts: list[str]) -> Iterator[Node]:
    if _is_reserved(node):
        raise MalformedBlock("dag-json cannot hold this map: it would read as a link or as bytes")
    parts.append("{")
    for number, key in enumerate(sorted(node, key=_order)):
        parts += "," if number else "", _quoted(key), ":"
        yield node[key]
    parts.append("}")


def _order(key: str) -> bytes:
    if not isinstance(key, str):
        raise MalformedBlock("a map's keys are texts")
    return key.encode("utf-8", "surrogatepass")


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
