"""A request body: the sources as multipart/form-data (RFC 7578), in HTTP chunks.

As with Kubo's clients, directories and symbolic links show by their content type, and permissions and times
stand as a query behind the name of the form's field. The part of a file that is handed over is empty, and
says what the user calls the file.
"""

from __future__ import annotations

import os

from peershelf.cli import handing
from peershelf.cli.quoting import percent_encode
from peershelf.cli.sources import WORTH_HANDING_OVER
from peershelf.cli.text import safe
from peershelf.node.go_mode import to_go

TYPE_CHECKING = False
if TYPE_CHECKING:
    import io
    from collections.abc import Iterable, Iterator

    from peershelf.cli.sources import Source

_READ_SIZE = 1 << 20
_GATHERED_SIZE = 128 << 10
_SIZE_LINE = len(b"00100000\r\n")
_LAST_CHUNK = b"0\r\n\r\n"

_CONTENT_TYPES = {
    "file": "application/octet-stream",
    "directory": "application/x-directory",
    "symlink": "application/symlink",
}


class Upload:
    """One request body, made piece by piece so that no file is ever held whole.

    With `hands_over` large files go beside it.
    """

    def __init__(self, sources: Iterable[Source], *, hands_over: bool = False) -> None:
        self._sources = sources
        self._hands_over = hands_over
        self.handed: int | None = None
        """The descriptor to send with the current frame, until it was."""
        self._boundary = os.urandom(16).hex()
        self._file: io.FileIO | None = None
        self._buffer = memoryview(bytearray(_SIZE_LINE + _READ_SIZE + 2))

    @property
    def content_type(self) -> str:
        """The value of the request's Content-Type field."""
        return f"multipart/form-data; boundary={self._boundary}"

    def waits_for(self) -> int | None:
        """The descriptor that the next frame is read from; None if it is at hand."""
        return None if self._file is None else self._file.fileno()

    def frames(self) -> Iterator[memoryview]:
        """The body as it goes on the wire. Each frame is only valid until the next is asked for."""
        gathered = bytearray()
        for source in self._sources:
            if source.content is not None:
                gathered += self._part_head(source)
                gathered += source.content
            else:
                with source.open() as file:
                    yield from self._opened(source, file, gathered)
                self._file = None
                gathered.clear()
            gathered += b"\r\n"
            if len(gathered) >= _GATHERED_SIZE:
                yield _chunk(gathered)
                gathered.clear()
        gathered += f"--{self._boundary}--\r\n".encode()
        yield memoryview(bytes(_chunk(gathered)) + _LAST_CHUNK)

    def _opened(self, source: Source, file: io.FileIO, gathered: bytearray) -> Iterator[memoryview]:
        """What was gathered, and then the part of an open file."""
        if self._hands_over and (source.size or 0) >= WORTH_HANDING_OVER and handing.is_regular(file):
            self.handed = file.fileno()
            yield _chunk(gathered + self._part_head(source, handed=True))
            return
        self._file = file
        yield _chunk(gathered + self._part_head(source))
        yield from self._contents(source, file)

    def _contents(self, source: Source, file: io.FileIO) -> Iterator[memoryview]:
        """Chunks that are read straight into their place in the frame, so nothing is copied."""
        room = self._buffer[_SIZE_LINE : _SIZE_LINE + _READ_SIZE]
        while count := source.read_into(file, room):
            self._buffer[:_SIZE_LINE] = b"%08x\r\n" % count
            end = _SIZE_LINE + count
            self._buffer[end : end + 2] = b"\r\n"
            yield self._buffer[: end + 2]

    def _part_head(self, source: Source, *, handed: bool = False) -> bytes:
        shown = f"X-Handed-File: {percent_encode(safe(source.path or ''))}\r\n" if handed else ""
        return (
            f"--{self._boundary}\r\n"
            f'Content-Disposition: form-data; name="file{_metadata(source)}"; '
            f'filename="{percent_encode(source.name)}"\r\n'
            f"{shown}Content-Type: {_CONTENT_TYPES[source.kind]}\r\n\r\n"
        ).encode()


def _metadata(source: Source) -> str:
    """A query with permissions and time, as far as they are to be told."""
    values = []
    if source.mode is not None:
        values.append(f"mode=0{to_go(source.mode):o}")
    if source.mtime_ns is not None:
        seconds, nanoseconds = divmod(source.mtime_ns, 1_000_000_000)
        values.append(f"mtime={seconds}")
        if nanoseconds:
            values.append(f"mtime-nsecs={nanoseconds}")
    return f"?{'&'.join(values)}" if values else ""


def _chunk(data: bytes | bytearray) -> memoryview:
    return memoryview(b"%x\r\n" % len(data) + data + b"\r\n")
