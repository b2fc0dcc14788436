"""The header of a denylist, without I/O: lines of YAML up to one that is `---`.

Only its plain `key: value` lines are read, and those of `hints`; whatever else YAML has is passed over.
https://specs.ipfs.tech/compact-denylist-format/#header
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from peershelf.node.denylists.errors import DenylistRejected

MAX_HEADER = 1 << 20
"""Bytes within which the `---` has to come."""
VERSION = "1"

_FIELD = re.compile(r"(\s*)([^\s:#][^:]*?)\s*:(?:\s+(.*))?")
_RULES = ("/", "!/", "+/", "-/")


@dataclass(frozen=True, slots=True)
class Header:
    """What a list says of itself."""

    name: str = ""
    description: str = ""
    author: str = ""
    hints: Mapping[str, str] = field(default_factory=dict)
    """Hints of every rule that has no other of that name."""


def is_end(line: bytes) -> bool:
    """Whether the header ends with this line."""
    return line.rstrip() == b"---"


def parse_header(lines: Iterable[bytes]) -> Header:
    """Read the lines before the end of a header.

    Raises DenylistRejected for a version of the format that this is not, and where rules stand there.
    """
    fields: dict[str, str] = {}
    hints: dict[str, str] = {}
    parent = ""
    for number, line in enumerate(lines, 1):
        text = line.decode(errors="replace").rstrip()
        if text.startswith(_RULES):
            raise DenylistRejected(f"line {number} is a rule, above a line with --- that ends a header")
        match = _FIELD.fullmatch(text)
        if match is None:
            continue
        indent, key, value = match[1], match[2], _scalar(match[3] or "")
        if not indent:
            parent = key
            fields[key] = value
        elif parent == "hints":
            hints[key] = value
    version = fields.get("version", VERSION)
    if version != VERSION:
        raise DenylistRejected(f"the format's version is {version[:20]!a}, and only {VERSION} is known here")
    return Header(fields.get("name", ""), fields.get("description", ""), fields.get("author", ""), hints)


def _scalar(text: str) -> str:
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    return text.partition(" #")[0].rstrip()
