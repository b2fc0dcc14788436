"""A request body: the sources as multipart/form-data (RFC 7578), in HTTP chunks."""

from __future__ import annotations

import os

from peershelf.cli.quoting import percent_encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    import io
    from collections.abc import Iterator, Sequence

    from peershelf.cli.sources import Source

_READ_SIZE = 1 << 20
_SIZE_LINE = len(b"00100000\r\n")
_LAST_CHUNK = b"0\r\n\r\n"


class Upload:
    """One request body, made piece by piece so that no file is ever held whole."""

    def __init__(self, sources: Sequence[Source]) -> None:
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
        for source in self._sources:
            with source.open() as self._file:
                yield _chunk(self._part_head(source.name))
                yield from self._contents(source, self._file)
            self._file = None
            yield _chunk(b"\r\n")
        yield memoryview(bytes(_chunk(f"--{self._boundary}--\r\n".encode())) + _LAST_CHUNK)

    def _contents(self, source: Source, file: io.FileIO) -> Iterator[memoryview]:
        """Chunks that are read straight into their place in the frame, so nothing is copied."""
        room = self._buffer[_SIZE_LINE : _SIZE_LINE + _READ_SIZE]
        while count := source.read_into(file, room):
            self._buffer[:_SIZE_LINE] = b"%08x\r\n" % count
            end = _SIZE_LINE + count
            self._buffer[end : end + 2] = b"\r\n"
            yield self._buffer[: end + 2]

    def _part_head(self, name: str) -> bytes:
        return (
            f"--{self._boundary}\r\n"
            f'Content-Disposition: form-data; name="file"; filename="{percent_encode(name)}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode()


def _chunk(data: bytes) -> memoryview:
    return memoryview(b"%x\r\n%b\r\n" % (len(data), data))
