"""The segment that is appended to.

Large appends are written from staged copies, one piece after the other; those behind which the caller goes on
by a thread of the segment. Bytes of these are in the file once `await_written` says so. What goes wrong is
kept, and nothing more is written behind the gap; wait() tells it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from peershelf.blockstore.buffers import Buffers, cut
from peershelf.blockstore.store.directories import sync_directory
from peershelf.blockstore.store.pack import writeback
from peershelf.blockstore.store.pack.bypass import PAGE, Bypass
from peershelf.blockstore.store.pack.segments import Segment
from peershelf.blockstore.store.pack.staging import Staging, Write

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

MAX_BUFFERS = 1024
"""Buffers that one append takes: what the kernel accepts in one call."""

LARGE = 1024 * 1024
"""Bytes of one append from which its pages go around the kernel's cache."""

_EARLY_SIZE = 4 * 1024 * 1024
"""Bytes put into the cache from which the kernel is asked to begin writing them."""


class ActiveSegment:
    """An open segment file, for one writer at a time.

    `end` is where the next record goes, `synced` how far the file is known to be on disk. Everything raises
    OSError; then the file ends where it did, or has rubbish behind `end` that the next append writes over.
    """

    def __init__(
        self, segment: Segment, descriptor: int, directory: Path, size: int, staging: Staging
    ) -> None:
        self.segment = segment
        self.end = size
        self.synced = size
        self._written = size
        self._begun = size
        self._cached = 0
        self._descriptor = descriptor
        self._directory = directory
        self._name_is_durable = size > 0
        self._staging = staging
        self._bypass: Bypass | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._last_piece: Future[None] | None = None
        self._failure: OSError | None = None

    @classmethod
    def create(cls, directory: Path, segment: Segment, staging: Staging) -> ActiveSegment:
        """Create the file, empty."""
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
        return cls(segment, os.open(directory / segment.file_name, flags, 0o600), directory, 0, staging)

    @classmethod
    def reopen(cls, directory: Path, segment: Segment, staging: Staging) -> ActiveSegment:
        """Open a file to go on at its end. All of it must be synced."""
        descriptor = os.open(directory / segment.file_name, os.O_RDWR)
        return cls(segment, descriptor, directory, os.fstat(descriptor).st_size, staging)

    def append(self, buffers: Sequence[bytes]) -> None:
        """Write the buffers, at most MAX_BUFFERS, behind one another at the end."""
        self.wait()
        try:
            self._append(buffers, self._write_piece)
        except OSError:
            self._written = self.end
            with suppress(OSError):
                os.ftruncate(self._descriptor, self.end)
            raise

    def append_behind(self, buffers: Sequence[bytes]) -> None:
        """As append(), but large ones may be on their way when it returns.

        If it raises, what it or one before it appended may be missing: cut_to_synced() and close() are due.
        """
        self._append(buffers, self._write_behind)

    def wait(self) -> None:
        """Wait until all that was appended is written."""
        if self._last_piece is not None:
            self._last_piece.result()
            self._last_piece = None
        if self._failure is not None:
            raise self._failure

    def await_written(self, end: int) -> None:
        """Wait until the file can be read up to `end`. Any thread may ask."""
        if end <= self._written:
            return
        if (piece := self._last_piece) is not None:
            piece.result()
        if end > self._written and self._failure is not None:
            raise self._failure

    def sync(self) -> None:
        """Make all that was appended durable, and the file's name with it."""
        self.wait()
        if self.synced == self.end:
            return
        os.fdatasync(self._descriptor)
        if not self._name_is_durable:
            sync_directory(self._directory)
            self._name_is_durable = True
        self.synced = self._begun = self.end
        self._cached = 0

    def cut_to_synced(self) -> None:
        """Drop what was appended since the last sync, also from the kernel's cache."""
        os.ftruncate(self._descriptor, self.synced)
        self.end = self._written = self.synced

    def close(self) -> None:
        """Close the file, once nothing is being written to it; it is not synced."""
        if self._thread is not None:
            self._thread.shutdown()
        if self._bypass is not None:
            self._bypass.close()
        os.close(self._descriptor)

    def _append(self, buffers: Sequence[bytes], write: Write) -> None:
        size = sum(map(len, buffers))
        if size < LARGE:
            self.wait()
            self._write_cached(buffers, self.end)
            self._note_written(self.end + size)
        else:
            self._staging.write(buffers, self.end, write)
        self.end += size

    def _write_behind(self, piece: memoryview, offset: int) -> Future[None]:
        """Have the thread write a piece behind those before it."""
        if self._failure is not None:
            raise self._failure
        if self._thread is None:
            # Here, because a command that only reads is faster without it.
            from concurrent.futures import ThreadPoolExecutor

            self._thread = ThreadPoolExecutor(1, thread_name_prefix="segment-writer")
        self._last_piece = self._thread.submit(self._try_to_write, piece, offset)
        return self._last_piece

    def _try_to_write(self, piece: memoryview, offset: int) -> None:
        if self._failure is None:
            try:
                self._write_piece(piece, offset)
            except OSError as error:
                self._failure = error

    def _write_piece(self, piece: memoryview, offset: int) -> None:
        """Write around the cache what fills pages, and in the usual way what is before and behind them."""
        if self._bypass is None:
            self._bypass = Bypass(self._directory / self.segment.file_name)
        start = min(-offset % PAGE, len(piece))
        stop = start + (len(piece) - start) // PAGE * PAGE
        self._write_cached([piece[:start]], offset)
        done = start + self._bypass.write(piece[start:stop], offset + start)
        self._write_cached([piece[done:]], offset + done)
        self._note_written(offset + len(piece))

    def _write_cached(self, buffers: Buffers, offset: int) -> None:
        """Write all buffers from `offset` on, without joining them."""
        rest = [buffer for buffer in buffers if buffer]
        while rest:
            written = os.pwritev(self._descriptor, rest, offset)
            offset += written
            self._cached += written
            rest = [*cut(rest, written)[1]]

    def _note_written(self, end: int) -> None:
        """Let readers have what is before `end`; once much is in the cache, have the kernel write it."""
        self._written = end
        if self._cached >= _EARLY_SIZE:
            writeback.start(self._descriptor, self._begun, self._written - self._begun)
            self._begun, self._cached = self._written, 0
