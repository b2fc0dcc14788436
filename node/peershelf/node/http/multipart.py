"""multipart/form-data as a stream (RFC 7578 over RFC 2046): bytes in, events out, no I/O.

The parser holds one unfinished part header, or the few bytes that may turn out to be the start of a
delimiter, and nothing else, however long the body is. A chunk that lies wholly inside a part comes out as
the very object that went in.

The grammar is read strictly where a client could mean two things: lines end in CRLF, and a line that merely
begins like a delimiter is data.

    body      = [preamble CRLF] delimiter *(part delimiter) closing
    delimiter = CRLF "--" boundary *(SP / TAB) CRLF          (the first needs no CRLF before it)
    part      = *(header CRLF) CRLF content
    closing   = the last delimiter with "--" after the boundary; whatever follows is ignored
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from peershelf.node.errors import UsageError
from peershelf.node.http.part_header import PartHeader, parse_part_header

MAX_HEADER_SIZE = 16 << 10
"""Bytes that the header lines of one part may take together."""

_MAX_PADDING = 64


@dataclass(frozen=True, slots=True)
class PartBegin:
    """A part begins."""

    header: PartHeader


@dataclass(frozen=True, slots=True)
class PartData:
    """Some content of the part that began last."""

    data: bytes


@dataclass(frozen=True, slots=True)
class PartEnd:
    """The part that began last is complete."""


@dataclass(frozen=True, slots=True)
class End:
    """The closing delimiter was read. Comes again whenever asked for."""


@dataclass(frozen=True, slots=True)
class NeedData:
    """Nothing more can be said before the next receive()."""


Event = PartBegin | PartData | PartEnd | End | NeedData


class _State(Enum):
    PREAMBLE = auto()
    DELIMITER = auto()
    HEADER = auto()
    CONTENT = auto()
    END = auto()


class MultipartParser:
    """Turns a body's bytes into the parts in it. Raises UsageError when the body is malformed."""

    def __init__(self, boundary: bytes, *, max_header_size: int = MAX_HEADER_SIZE) -> None:
        self._delimiter = b"\r\n--" + boundary
        self._max_header_size = max_header_size
        self._state = _State.PREAMBLE
        self._in_part = False
        # The first delimiter needs no CRLF before it; with this one it looks like all the others.
        self._buffer = b"\r\n"
        self._position = 0

    def receive(self, data: bytes) -> None:
        """Take the next bytes of the body."""
        rest = self._buffer[self._position :]
        self._buffer = rest + data if rest else data
        self._position = 0

    def finish(self) -> None:
        """The body has ended. Raises UsageError if the closing delimiter has not been seen."""
        if self._state is not _State.END:
            raise UsageError("the upload ended in the middle; send it again")

    def next_event(self) -> Event:
        """The next thing that the bytes received so far say."""
        while True:
            event = self._step()
            in_preamble = isinstance(event, PartData) and not self._in_part
            if event is not None and not in_preamble:
                return event

    def _step(self) -> Event | None:
        match self._state:
            case _State.CONTENT:
                return self._content()
            case _State.HEADER:
                return self._header()
            case _State.DELIMITER:
                return self._after_delimiter()
            case _State.PREAMBLE:
                return self._content()
            case _State.END:
                self._position = len(self._buffer)
                return End()

    def _content(self) -> PartData | NeedData | None:
        """Content up to the next delimiter; None once the delimiter itself comes next."""
        start = self._position
        found = self._buffer.find(self._delimiter, start)
        if found == start:
            self._state = _State.DELIMITER
            return None
        end = found if found > 0 else len(self._buffer) - self._possible_delimiter()
        return self._take(end) if end > start else NeedData()

    def _take(self, end: int) -> PartData:
        start, self._position = self._position, end
        return PartData(self._buffer[start:end])

    def _possible_delimiter(self) -> int:
        """How many bytes at the buffer's end may be the beginning of a delimiter."""
        longest = min(len(self._delimiter) - 1, len(self._buffer) - self._position)
        candidate = self._buffer.find(b"\r", len(self._buffer) - longest)
        while candidate >= 0:
            length = len(self._buffer) - candidate
            if self._delimiter.startswith(self._buffer[candidate:]):
                return length
            candidate = self._buffer.find(b"\r", candidate + 1)
        return 0

    def _after_delimiter(self) -> Event | None:
        """Decide whether the delimiter here closes the body, parts it, or is data that looks like one."""
        after = self._position + len(self._delimiter)
        if len(self._buffer) < after + 2:
            return NeedData()
        if self._buffer.startswith(b"--", after):
            return self._end_part(_State.END, after + 2)
        if self._buffer[after] in b" \t\r":
            return self._delimiter_line(after)
        self._state = _State.CONTENT if self._in_part else _State.PREAMBLE
        return self._take(after)

    def _delimiter_line(self, after: int) -> Event | None:
        end = self._buffer.find(b"\r\n", after, after + _MAX_PADDING)
        if end < 0 and len(self._buffer) < after + _MAX_PADDING:
            return NeedData()
        if end < 0 or self._buffer[after:end].strip(b" \t"):
            raise UsageError("the upload has a malformed multipart delimiter")
        # The CRLF stays: a header block without any lines is then the same CRLF CRLF as any other.
        return self._end_part(_State.HEADER, end)

    def _end_part(self, state: _State, position: int) -> PartEnd | None:
        self._state, self._position = state, position
        ended, self._in_part = self._in_part, False
        return PartEnd() if ended else None

    def _header(self) -> PartBegin | NeedData:
        end = self._buffer.find(b"\r\n\r\n", self._position, self._position + self._max_header_size + 4)
        if end < 0 and len(self._buffer) - self._position >= self._max_header_size + 4:
            raise UsageError(f"the upload has a part header of more than {self._max_header_size} bytes")
        if end < 0:
            return NeedData()
        header = parse_part_header(self._buffer[self._position + 2 : end])
        self._position = end + 4
        self._state, self._in_part = _State.CONTENT, True
        return PartBegin(header)
