"""The segment that is appended to."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from peershelf.blockstore.store.directories import sync_directory
from peershelf.blockstore.store.pack import writeback
from peershelf.blockstore.store.pack.segments import Segment

MAX_BUFFERS = 1024
"""Buffers that one append takes: what the kernel accepts in one call."""

_EARLY_SIZE = 4 * 1024 * 1024
"""Bytes appended from which the kernel is asked to begin writing them."""


class ActiveSegment:
    """An open segment file.

    `end` is where the next record goes, `synced` how far the file is known to be on disk. Everything raises
    OSError; then the file ends where it did, or has rubbish behind `end` that the next append writes over.
    """

    def __init__(self, segment: Segment, descriptor: int, directory: Path, size: int) -> None:
        self.segment = segment
        self.end = size
        self.synced = size
        self._begun = size
        self._descriptor = descriptor
        self._directory = directory
        self._name_is_durable = size > 0

    @classmethod
    def create(cls, directory: Path, segment: Segment) -> ActiveSegment:
        """Create the file, empty."""
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
        return cls(segment, os.open(directory / segment.file_name, flags, 0o600), directory, 0)

    @classmethod
    def reopen(cls, directory: Path, segment: Segment) -> ActiveSegment:
        """Open a file to go on at its end. All of it must be synced."""
        descriptor = os.open(directory / segment.file_name, os.O_RDWR)
        return cls(segment, descriptor, directory, os.fstat(descriptor).st_size)

    def append(self, buffers: Sequence[bytes]) -> None:
        """Write the buffers, at most MAX_BUFFERS, behind one another at the end."""
        try:
            self.end = _write_all(self._descriptor, buffers, self.end)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._descriptor, self.end)
            raise
        if self.end - self._begun >= _EARLY_SIZE:
            writeback.start(self._descriptor, self._begun, self.end - self._begun)
            self._begun = self.end

    def sync(self) -> None:
        """Make all that was appended durable, and the file's name with it."""
        if self.synced == self.end:
            return
        os.fdatasync(self._descriptor)
        if not self._name_is_durable:
            sync_directory(self._directory)
            self._name_is_durable = True
        self.synced = self._begun = self.end

    def cut_to_synced(self) -> None:
        """Drop what was appended since the last sync, also from the kernel's cache."""
        os.ftruncate(self._descriptor, self.synced)
        self.end = self.synced

    def close(self) -> None:
        """Close the file; it is not synced."""
        os.close(self._descriptor)


def _write_all(descriptor: int, buffers: Sequence[bytes], offset: int) -> int:
    """Write all buffers from `offset` on, without joining them, and return the offset behind the last."""
    rest: list[bytes | memoryview] = [buffer for buffer in buffers if buffer]
    while rest:
        written = os.pwritev(descriptor, rest, offset)
        offset += written
        done = 0
        while done < len(rest) and written >= len(rest[done]):
            written -= len(rest[done])
            done += 1
        del rest[:done]
        if written:
            rest[0] = memoryview(rest[0])[written:]
    return offset
