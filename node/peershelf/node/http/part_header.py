"""The header lines of one part of an upload: what the part is called and what kind of thing it is.

Kubo's clients put a percent-encoded relative path into the file name, and tell directories and symlinks by
their content type. Permissions and the time of last change stand behind the form's field name, as in
`name="file?mode=0644&mtime=1604320500&mtime-nsecs=55"`. They also send the absolute path that the file has on
their side (Abspath); it is not read, since a server that opened paths on a client's word would hand out any
file to anybody. Our own command line hands over the open file instead, and says what the user calls it
(X-Handed-File, percent-encoded).
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl, unquote, unquote_plus

from peershelf.blockstore.errors import InvalidImportOption
from peershelf.blockstore.unixfs.message import Mtime
from peershelf.blockstore.unixfs.metadata import NONE, Metadata
from peershelf.node.errors import UsageError
from peershelf.node.go_mode import from_go

PartKind = Literal["file", "directory", "symlink"]

_KINDS: dict[str, PartKind] = {"application/x-directory": "directory", "application/symlink": "symlink"}
_DISPOSITIONS = frozenset({"form-data", "attachment", "file"})
_PLAIN_ENCODINGS = frozenset({"", "7bit", "8bit", "binary"})

_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_LINE = re.compile(rf"({_NAME}):(.*)")
_PARAMETER = re.compile(rf'[ \t]*;[ \t]*({_NAME})=(?:"((?:[^"\\]|\\.)*)"|([^;" \t]*))')
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class PartHeader:
    """What a part says of itself."""

    name: str
    """A relative path such as "d/x", without "." and ".."; "" for an unnamed part, such as standard input.

    Bytes that are no UTF-8 are lone surrogates, as in the names that Python itself reads from a directory.
    """
    kind: PartKind
    metadata: Metadata = NONE
    handed: str | None = None
    """What to call the handed-over file that is the content; None where the content is in the part."""


def parse_part_header(data: bytes) -> PartHeader:
    """Read the header lines of a part, each ended or parted by CRLF. Raises UsageError."""
    fields = _fields(data)
    value, parameters = parse_parameters(fields.get("content-disposition", ""))
    if value not in _DISPOSITIONS:
        raise UsageError("the upload has a part without a usable Content-Disposition")
    if fields.get("content-transfer-encoding", "").lower() not in _PLAIN_ENCODINGS:
        raise UsageError("the upload has a part in a transfer encoding; send the bytes as they are")
    kind = _KINDS.get(parse_parameters(fields.get("content-type", ""))[0], "file")
    shown = fields.get("x-handed-file")
    return PartHeader(
        _relative_path(_file_name(parameters)),
        kind,
        _metadata(parameters.get("name", "")),
        None if shown is None else unquote(shown, errors="replace"),
    )


def parse_parameters(text: str) -> tuple[str, dict[str, str]]:
    """Split `value; name=text; name="text"` (RFC 9110, 5.6.6); names in lower case. Raises UsageError."""
    text = text.rstrip(" \t;")
    value, _, _ = text.partition(";")
    parameters: dict[str, str] = {}
    position = len(value)
    while position < len(text):
        match = _PARAMETER.match(text, position)
        if match is None or match[1].lower() in parameters:
            raise UsageError("the upload has a malformed header parameter")
        quoted = match[2]
        parameters[match[1].lower()] = match[3] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        position = match.end()
    return value.strip(" \t").lower(), parameters


def _fields(data: bytes) -> dict[str, str]:
    """Header fields by lower-case name. Values may hold any bytes: older clients send file names raw."""
    fields: dict[str, str] = {}
    for line in data.decode("utf-8", "surrogateescape").split("\r\n"):
        match = _LINE.fullmatch(line)
        if line and (match is None or match[1].lower() in fields):
            raise UsageError("the upload has a malformed part header")
        if match is not None:
            fields[match[1].lower()] = match[2].strip(" \t")
    return fields


def _file_name(parameters: dict[str, str]) -> str:
    extended = parameters.get("filename*")
    if extended is not None:
        charset, _, text = extended.partition("'")
        if charset.lower() != "utf-8":
            raise UsageError("the upload has a file name in a character set other than UTF-8")
        return unquote(text.partition("'")[2], errors="surrogateescape")
    name = parameters.get("filename", "")
    # Clients that do not encode names send a bare percent sign; then nothing in the name is an escape.
    return name if _BAD_ESCAPE.search(name) else unquote_plus(name, errors="surrogateescape")


def _metadata(field: str) -> Metadata:
    _, mark, query = field.partition("?")
    if not mark:
        return NONE
    values = dict(parse_qsl(query))
    try:
        return Metadata(_permissions(values.get("mode", "")), _mtime(values))
    except (ValueError, InvalidImportOption):
        raise UsageError("the upload has a part with a malformed mode or mtime") from None


def _permissions(octal: str) -> int | None:
    """What the bits of Go's FileMode, in octal, say about permissions; none of them, as 0, is no mode."""
    return from_go(int(octal or "0", 8)) or None


def _mtime(values: dict[str, str]) -> Mtime | None:
    if "mtime" not in values:
        return None
    return Mtime(int(values["mtime"]), int(values.get("mtime-nsecs", "0")) or None)


def _relative_path(name: str) -> str:
    return posixpath.normpath("/" + name).lstrip("/")
