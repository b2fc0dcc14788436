"""Files in and out: bytes to a CID, and a CID back to its bytes in order."""

from __future__ import annotations

import errno
import io
import math
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import trio

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.path import root_cids
from peershelf.blockstore.unixfs.importer import Imported, Importer
from peershelf.blockstore.unixfs.metadata import NONE, Metadata
from peershelf.blockstore.unixfs.profiles import Profile
from peershelf.blockstore.unixfs.queued_file import Span
from peershelf.blockstore.unixfs.sequence import FileSequence
from peershelf.node.blocks import Blocks
from peershelf.node.read_ahead import (
    READ_AHEAD,
    READ_AHEAD_OF_ALL,
    STEPS_OF_PEERS,
    STEPS_OF_STORE,
    gathered,
    in_steps,
)
from peershelf.node.tasks import Closeable, Producer, closed_at_the_end

_HOP_SIZE = 2 << 20
_STEP_SIZE = 16 << 20
_SMALLEST_READ = 256 << 10

Sink = Callable[[Sequence[Block]], None]
Progress = Callable[[int], None]
"""Is told the bytes read so far. May be called from a worker thread."""

Readable = BinaryIO | io.RawIOBase
Source = str | os.PathLike[str] | bytes | bytearray | memoryview | Readable | AsyncIterator[bytes]


async def add(
    source: Source, sink: Sink, profile: Profile, progress: Progress | None, metadata: Metadata = NONE
) -> Imported:
    """Cut the source's bytes into blocks and pass them to `sink` in batches, from threads.

    Nothing is opened but a path that the caller gave as a path. Raises OSError, and whatever the sink raises.
    """
    if isinstance(source, bytearray | memoryview):
        source = bytes(source)
    if isinstance(source, bytes | str | os.PathLike):
        return await trio.to_thread.run_sync(_add_whole, source, sink, profile, progress, metadata)
    async with _importing(Importer(sink, profile, metadata=metadata)) as importer:
        if isinstance(source, AsyncIterator):
            return await _add_chunks(source, importer, progress)
        _check_readable(source)
        reading = _Reading(source, importer, profile, progress)
        imported = None
        while imported is None:
            # In steps, so that many who add large files share the threads with everybody else.
            imported = await trio.to_thread.run_sync(reading.go_on)
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
) -> Imported:
    if isinstance(source, bytes):
        return add_file(io.BytesIO(source), sink, profile, progress, metadata)
    with Path(source).open("rb", buffering=0) as file:
        return add_file(file, sink, profile, progress, metadata)


@asynccontextmanager
async def _importing(importer: Importer) -> AsyncIterator[Importer]:
    try:
        yield importer
    except BaseException:
        # An import that is given up ends once what is being written is.
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(importer.close)
        raise


def add_file(
    file: Readable, sink: Sink, profile: Profile, progress: Progress | None, metadata: Metadata
) -> Imported:
    """As add(), in the caller's thread, which is one that trio has started."""
    with Importer(sink, profile, metadata=metadata) as importer:
        reading = _Reading(file, importer, profile, progress)
        imported = None
        while imported is None:
            imported = reading.go_on()
        return imported


class _Reading:
    """A file on its way into an importer."""

    def __init__(
        self, file: Readable, importer: Importer, profile: Profile, progress: Progress | None
    ) -> None:
        self._file = file
        self._importer = importer
        # Reads of a whole chunk become blocks without a copy.
        self._size = max(profile.chunk_size, _SMALLEST_READ)
        self._progress = progress
        self._done = 0

    def go_on(self) -> Imported | None:
        """Read some more, in a thread that trio has started; at the file's end it tells what that became."""
        end = self._done + _STEP_SIZE
        while self._done < end:
            trio.from_thread.check_cancelled()
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
    chunks: AsyncIterator[bytes], importer: Importer, progress: Progress | None
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
            await trio.to_thread.run_sync(_write, importer, gathered)
            done += waiting
            gathered, waiting = [], 0
            if progress is not None:
                progress(done)
    return await trio.to_thread.run_sync(_finish, importer, gathered)


def _write(importer: Importer, pieces: Sequence[bytes]) -> None:
    for piece in pieces:
        importer.write(piece)


def _finish(importer: Importer, rest: Sequence[bytes]) -> Imported:
    _write(importer, rest)
    return importer.finish()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which bytes of which files, taken as one, and how hard to try."""

    references: tuple[Cid | str, ...]
    """CIDs, or text such as CID/path."""
    offset: int = 0
    length: int | None = None
    """None: all to the end."""
    offline: bool = False
    timeout: float = math.inf
    """Seconds for the whole of it."""


RunStream = Callable[[Producer[int | bytes | memoryview]], Closeable[int | bytes | memoryview]]


@dataclass(frozen=True, slots=True)
class OpenFile:
    """Files on their way."""

    size: int
    """Of the whole first file, in bytes."""
    chunks: Closeable[bytes | memoryview]
    """The bytes that were wanted, in order."""


async def open_files(run: RunStream, blocks: Blocks, wanted: Wanted) -> OpenFile:
    """Find the first file and begin reading in a task that `run` starts.

    Raises, here or from the chunks, what read_files raises.
    """

    async def read(send: Callable[[int | bytes | memoryview], Awaitable[None]]) -> None:
        await read_files(blocks, wanted, send, send_size=send)

    items = run(read)
    size = await anext(aiter(items))
    assert isinstance(size, int)
    return OpenFile(size, cast(Closeable[bytes | memoryview], items))


async def read_files(
    blocks: Blocks,
    wanted: Wanted,
    send: Callable[[bytes | memoryview], Awaitable[None]],
    send_size: Callable[[int], Awaitable[None]] | None = None,
) -> None:
    """Send the files' bytes in order, asking for some ahead of what was taken; first the first one's size.

    Raises NotAFile, PathNotFound, MalformedBlock, BlockNotFound, CorruptBlock, InvalidCid, InvalidPath and
    UnsupportedHash after all that stands before the file in question, and TimedOut, StoreError and, for one
    of the references, ContentBlocked at once.
    """
    await blocks.check(*wanted.references)
    roots = root_cids(wanted.references)
    async with blocks.fetcher(*roots, offline=wanted.offline, timeout=wanted.timeout) as fetcher:
        sequence = FileSequence(wanted.references, Span(wanted.offset, wanted.length))
        read = 0
        while True:
            steps = STEPS_OF_PEERS if fetcher.asks_peers else STEPS_OF_STORE
            fetcher.want(sequence.wants(in_steps(read_ahead(blocks), read, steps)))
            if sequence.size is not None and send_size is not None:
                await send_size(sequence.size)
                send_size = None
            pieces = sequence.read()
            for piece in gathered(pieces):
                await send(piece)
                read += len(piece)
            if sequence.done:
                return
            if not pieces:  # else what was read has made room to ask for more first
                found = await fetcher.receive()
                for block in found.blocks:
                    sequence.receive(block)
                for cid, error in found.missing.items():
                    sequence.fail(cid, error)


def read_ahead(blocks: Blocks) -> int:
    """A reader's share, which gets smaller with every other that reads at the same time."""
    return min(READ_AHEAD, READ_AHEAD_OF_ALL // blocks.open_fetchers)
