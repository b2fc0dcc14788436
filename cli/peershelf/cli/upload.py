"""A request body: the sources as multipart/form-data (RFC 7578), in HTTP chunks.

As with Kubo's clients, directories and symbolic links show by their content type, and permissions and times
stand as a query behind the name of the form's field.
"""

from __future__ import annotations

import os

from peershelf.cli.quoting import percent_encode
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
    """One request body, made piece by piece so that no file is ever held whole."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self._sources = sources
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
            gathered += self._part_head(source)
            if source.content is not None:
                gathered += source.content
            else:
                with source.open() as self._file:
                    yield _chunk(gathered)
                    yield from self._contents(source, self._file)
                self._file = None
                gathered.clear()
            gathered += b"\r\n"
            if len(gathered) >= _GATHERED_SIZE:
                yield _chunk(gathered)
                gathered.clear()
        gathered += f"--{self._boundary}--\r\n".encode()
        yield memoryview(bytes(_chunk(gathered)) + _LAST_CHUNK)

    def _contents(self, source: Source, file: io.FileIO) -> Iterator[memoryview]:
        """Chunks that are read straight into their place in the frame, so nothing is copied."""
        room = self._buffer[_SIZE_LINE : _SIZE_LINE + _READ_SIZE]
        while count := source.read_into(file, room):
            self._buffer[:_SIZE_LINE] = b"%08x\r\n" % count
            end = _SIZE_LINE + count
            self._buffer[end : end + 2] = b"\r\n"
            yield self._buffer[: end + 2]

    def _part_head(self, source: Source) -> bytes:
        return (
            f"--{self._boundary}\r\n"
            f'Content-Disposition: form-data; name="file{_metadata(source)}"; '
            f'filename="{percent_encode(source.name)}"\r\n'
            f"Content-Type: {_CONTENT_TYPES[source.kind]}\r\n\r\n"
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
