"""The segment that is appended to."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from peershelf.blockstore.buffers import Buffers, cut
from peershelf.blockstore.store.directories import sync_directory
from peershelf.blockstore.store.pack import writeback
from peershelf.blockstore.store.pack.bypass import PAGE, Bypass, Staging
from peershelf.blockstore.store.pack.segments import Segment

MAX_BUFFERS = 1024
"""Buffers that one append takes: what the kernel accepts in one call."""

LARGE = 1024 * 1024
"""Bytes of one append from which its pages go around the kernel's cache."""

_EARLY_SIZE = 4 * 1024 * 1024
"""Bytes put into the cache from which the kernel is asked to begin writing them."""


class ActiveSegment:
    """An open segment file.

    `end` is where the next record goes, `synced` how far the file is known to be on disk. Everything raises
    OSError; then the file ends where it did, or has rubbish behind `end` that the next append writes over.
    """

    def __init__(
        self, segment: Segment, descriptor: int, directory: Path, size: int, staging: Staging
    ) -> None:
        self.segment = segment
        self.end = size
        self.synced = size
        self._begun = size
        self._cached = 0
        self._descriptor = descriptor
        self._directory = directory
        self._name_is_durable = size > 0
        self._staging = staging
        self._bypass: Bypass | None = None

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
        size = sum(map(len, buffers))
        try:
            if size < LARGE:
                self._write_cached(buffers, self.end)
            else:
                self._write_large(buffers, self.end + size)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._descriptor, self.end)
            raise
        self.end += size
        if self._cached >= _EARLY_SIZE:
            writeback.start(self._descriptor, self._begun, self.end - self._begun)
            self._begun, self._cached = self.end, 0

    def sync(self) -> None:
        """Make all that was appended durable, and the file's name with it."""
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
        self.end = self.synced

    def close(self) -> None:
        """Close the file; it is not synced."""
        if self._bypass is not None:
            self._bypass.close()
        os.close(self._descriptor)

    def _write_large(self, buffers: Buffers, end: int) -> None:
        """Write around the cache what fills pages, and in the usual way what is before and behind them."""
        if self._bypass is None:
            self._bypass = Bypass(self._directory / self.segment.file_name, self._staging)
        first, rest = cut(buffers, -self.end % PAGE)
        start = self._write_cached(first, self.end)
        rest = self._bypass.write(rest, start)
        self._write_cached(rest, end - sum(map(len, rest)))

    def _write_cached(self, buffers: Buffers, offset: int) -> int:
        """Write all buffers from `offset` on, without joining them, and return the offset behind the last."""
        rest = [buffer for buffer in buffers if buffer]
        while rest:
            written = os.pwritev(self._descriptor, rest, offset)
            offset += written
            self._cached += written
            rest = [*cut(rest, written)[1]]
        return offset
