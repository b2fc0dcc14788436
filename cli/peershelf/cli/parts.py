"""What a command uploads, as the parts that an operation takes where the command carries it out itself."""

from __future__ import annotations

import io
from collections.abc import AsyncGenerator, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from peershelf.blockstore.unixfs.message import Mtime
from peershelf.blockstore.unixfs.metadata import Metadata
from peershelf.cli.sources import unreadable
from peershelf.node.operations.request import Part

if TYPE_CHECKING:
    from peershelf.cli.sources import Source
    from peershelf.node.blocking import Blocking

_READ_SIZE = 1 << 20
_TAKEN_AT_ONCE = 256


async def parts(sources: Iterable[Source], blocking: Blocking) -> AsyncGenerator[Part, None]:
    """The parts of an upload. Iterating raises CliError for what cannot be read."""
    walking = iter(sources)
    while taken := await blocking.run(_take, walking):
        for source in taken:
            if source.size is None or source.content is not None:
                yield _part(source, None, blocking)
                continue
            with _OnDisk(source) as file:
                yield _part(source, file, blocking)


def _take(sources: Iterator[Source]) -> list[Source]:
    """The next sources, of which only the last may have to be read before more can be taken."""
    taken: list[Source] = []
    size = 0
    while size < _READ_SIZE and len(taken) < _TAKEN_AT_ONCE:
        source = next(sources, None)
        if source is None:
            break
        taken.append(source)
        if source.content is None:
            break
        size += len(source.content)
    return taken


def _part(source: Source, file: _OnDisk | None, blocking: Blocking) -> Part:
    chunks = _chunks(source, blocking) if source.content is None else _whole(source.content)
    return Part(source.name, source.kind, chunks, file, source.content, _metadata(source))


def _metadata(source: Source) -> Metadata:
    mtime = None if source.mtime_ns is None else Mtime.of(source.mtime_ns)
    return Metadata(source.mode, mtime)


class _OnDisk(io.FileIO):
    """A file that never keeps its reader waiting; what goes wrong is told as for every source."""

    def __init__(self, source: Source) -> None:
        path = source.path or ""
        try:
            if source.descriptor >= 0:
                super().__init__(source.descriptor, closefd=False)
            else:
                super().__init__(path)
        except OSError as error:
            raise unreadable(path, error) from None
        self._path = path

    def read(self, size: int | None = -1, /) -> bytes:
        """Read up to `size` bytes. Raises CliError."""
        try:
            return super().read(size)
        except OSError as error:
            raise unreadable(self._path, error) from None


async def _whole(content: bytes) -> AsyncGenerator[bytes, None]:
    yield content


async def _chunks(source: Source, blocking: Blocking) -> AsyncGenerator[bytes, None]:
    """The source's bytes: a pipe may keep a reader waiting for ever, even for its being opened."""
    with await blocking.wait(source.open) as file:
        read = partial(source.read, file, _READ_SIZE)
        while data := await blocking.wait(read):
            yield data
