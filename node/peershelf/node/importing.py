"""Files in: bytes become blocks. For the node, and for an `add` that needs none."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO

from peershelf.blockstore.unixfs.batch import Sink
from peershelf.blockstore.unixfs.importer import Imported, Importer
from peershelf.blockstore.unixfs.metadata import NONE, Metadata
from peershelf.blockstore.unixfs.profiles import Profile
from peershelf.node.blocking import Blocking
from peershelf.node.iterators import closed_at_the_end

_HOP_SIZE = 2 << 20
_STEP_SIZE = 16 << 20
_SMALLEST_READ = 256 << 10

Progress = Callable[[int], None]
"""Is told the bytes read so far. May be called from a worker thread."""

Check = Callable[[], None]
"""Raises what ends the work, if it is given up."""

Readable = BinaryIO | io.RawIOBase
Source = str | os.PathLike[str] | bytes | bytearray | memoryview | Readable | AsyncIterator[bytes]


async def add(
    blocking: Blocking,
    source: Source,
    sink: Sink,
    profile: Profile,
    progress: Progress | None,
    metadata: Metadata = NONE,
) -> Imported:
    """Cut the source's bytes into blocks and pass them to `sink` in batches, from threads.

    Nothing is opened but a path that the caller gave as a path. Raises OSError, and whatever the sink raises.
    """
    if isinstance(source, bytearray | memoryview):
        source = bytes(source)
    if isinstance(source, bytes | str | os.PathLike):
        add_whole = partial(_add_whole, check=blocking.check)
        return await blocking.run(add_whole, source, sink, profile, progress, metadata)
    async with _importing(blocking, Importer(sink, profile, metadata=metadata)) as importer:
        if isinstance(source, AsyncIterator):
            return await _add_chunks(blocking, source, importer, progress)
        _check_readable(source)
        reading = _Reading(source, importer, profile, progress, blocking.check)
        imported = None
        while imported is None:
            # In steps, so that many who add large files share the threads with everybody else.
            imported = await blocking.run(reading.go_on)
        return imported


def _check_readable(source: object) -> None:
    if isinstance(source, io.TextIOBase) or not hasattr(source, "read"):
        wanted = "a path, bytes, a binary file or an async iterator of bytes"
        raise TypeError(f"{wanted} is needed, not {type(source).__name__}")


def _add_whole(
    source: str | os.PathLike[str] | bytes,
    sink: Sink,
    profile: Profile,
    progress: Progress | None,
    metadata: Metadata,
    check: Check,
) -> Imported:
    if isinstance(source, bytes):
        return add_file(io.BytesIO(source), sink, profile, progress, metadata, check)
    with Path(source).open("rb", buffering=0) as file:
        return add_file(file, sink, profile, progress, metadata, check)


@asynccontextmanager
async def _importing(blocking: Blocking, importer: Importer) -> AsyncIterator[Importer]:
    try:
        yield importer
    except BaseException:
        # An import that is given up ends once what is being written is.
        await blocking.clear_up(importer.close)
        raise


def add_file(
    file: Readable,
    sink: Sink,
    profile: Profile,
    progress: Progress | None,
    metadata: Metadata,
    check: Check,
) -> Imported:
    """As add(), in the caller's thread. What `check` raises ends it."""
    with Importer(sink, profile, metadata=metadata) as importer:
        reading = _Reading(file, importer, profile, progress, check)
        imported = None
        while imported is None:
            imported = reading.go_on()
        return imported


class _Reading:
    """A file on its way into an importer."""

    def __init__(
        self,
        file: Readable,
        importer: Importer,
        profile: Profile,
        progress: Progress | None,
        check: Check,
    ) -> None:
        self._file = file
        self._importer = importer
        # Reads of a whole chunk become blocks without a copy.
        self._size = max(profile.chunk_size, _SMALLEST_READ)
        self._progress = progress
        self._check = check
        self._done = 0

    def go_on(self) -> Imported | None:
        """Read some more; at the file's end it tells what that became."""
        end = self._done + _STEP_SIZE
        while self._done < end:
            self._check()
            data = self._file.read(self._size)
            if data is None:
                raise BlockingIOError(errno.EAGAIN, "a file that is read without waiting cannot be added")
            if not data:
                return self._importer.finish()
            self._importer.write(data)
            self._done += len(data)
            if self._progress is not None:
                self._progress(self._done)
        return None


async def _add_chunks(
    blocking: Blocking, chunks: AsyncIterator[bytes], importer: Importer, progress: Progress | None
) -> Imported:
    """Gather small chunks, so that a thread hop is paid for some MiB and not for each of them."""
    gathered: list[bytes] = []
    waiting = done = 0
    async with closed_at_the_end(chunks):
        async for chunk in chunks:
            gathered.append(chunk)
            waiting += len(chunk)
            if waiting < _HOP_SIZE:
                continue
            await blocking.run(_write, importer, gathered)
            done += waiting
            gathered, waiting = [], 0
            if progress is not None:
                progress(done)
    return await blocking.run(_finish, importer, gathered)


def _write(importer: Importer, pieces: Sequence[bytes]) -> None:
    for piece in pieces:
        importer.write(piece)


def _finish(importer: Importer, rest: Sequence[bytes]) -> Imported:
    _write(importer, rest)
    return importer.finish()
