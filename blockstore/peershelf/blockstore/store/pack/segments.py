"""Segment files: their names, where a block lies in them, and reading from them."""

from __future__ import annotations

import errno
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

from peershelf.blockstore.block import MAX_BLOCK_SIZE
from peershelf.blockstore.errors import StoreError
from peershelf.blockstore.store.pack.records import MARK_SIZE

_NAME = re.compile(r"([0-9]{8,18})-([0-9a-f]{16})\.seg")
_MAX_OPEN_FILES = 128


class Location(NamedTuple):
    """Where a block's bytes are: a segment's number, the first byte's offset, and how many."""

    segment: int
    offset: int
    length: int

    @property
    def position(self) -> tuple[int, int]:
        """A place inside of the record, so that it compares with places between records."""
        return self.segment, self.offset - 1

    @property
    def is_plausible(self) -> bool:
        """Whether a block could be there: in a damaged index, any value of any type may stand."""
        return (
            type(self.offset) is int
            and self.offset >= 0
            and type(self.length) is int
            and 0 <= self.length <= MAX_BLOCK_SIZE
        )


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment file's identity. Segments come in the order of their numbers."""

    number: int
    mark: bytes

    @classmethod
    def new(cls, number: int) -> Self:
        """Draw a mark for a segment that is to be created."""
        return cls(number, os.urandom(MARK_SIZE))

    @property
    def file_name(self) -> str:
        return f"{self.number:08d}-{self.mark.hex()}.seg"


def list_segments(directory: Path) -> list[tuple[Segment, int]]:
    """Return every segment in the directory with its size in bytes, in order.

    Raises StoreError if two have one number, OSError.
    """
    found: dict[int, tuple[Segment, int]] = {}
    with os.scandir(directory) as entries:
        for entry in entries:
            match = _NAME.fullmatch(entry.name)
            if match is None:
                continue
            segment = Segment(int(match[1]), bytes.fromhex(match[2]))
            if segment.number in found:
                names = f"{found[segment.number][0].file_name} and {entry.name}"
                raise StoreError(f"two segments of one number in {directory}: move {names} apart")
            found[segment.number] = segment, entry.stat().st_size
    return [found[number] for number in sorted(found)]


class SegmentFiles:
    """Segment files that are open for reading, from any number of threads; the least used are closed."""

    def __init__(self, directory: Path, segments: Iterable[Segment] = ()) -> None:
        self._directory = directory
        self._segments = {segment.number: segment for segment in segments}
        self._open: OrderedDict[int, _ReadFile] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, segment: Segment) -> None:
        """Make a segment's number known."""
        with self._lock:
            self._segments[segment.number] = segment

    def remove(self, number: int) -> None:
        """Forget a segment whose file is gone; readers see that there is none."""
        with self._lock:
            self._segments.pop(number, None)
            self._open.pop(number, None)

    def known(self) -> list[Segment]:
        """Return every segment in the order of their numbers."""
        with self._lock:
            return [self._segments[number] for number in sorted(self._segments)]

    def mark(self, number: int) -> bytes | None:
        """Return a segment's mark; None if there is no such segment, or none any more."""
        segment = self._segments.get(number)
        return None if segment is None else segment.mark

    def read(self, number: int, offset: int, length: int) -> bytes:
        """Return `length` bytes, fewer where the file ends. Raises OSError, also for an unknown segment."""
        # Named, because it could else be closed, and its number given to another file, before the read.
        file = self._file(number)
        return os.pread(file.descriptor, length, offset)

    def close(self) -> None:
        """Close all files, those still being read from as soon as they are not."""
        with self._lock:
            self._segments.clear()
            self._open.clear()

    def _file(self, number: int) -> _ReadFile:
        with self._lock:
            file = self._open.get(number)
            if file is not None:
                self._open.move_to_end(number)
                return file
            segment = self._segments.get(number)
            if segment is None:
                raise FileNotFoundError(errno.ENOENT, f"no segment {number}")
            file = self._open[number] = _ReadFile(self._directory / segment.file_name)
            if len(self._open) > _MAX_OPEN_FILES:
                self._open.popitem(last=False)
            return file


class _ReadFile:
    """A descriptor that closes with its last user, so that no thread reads from one that was reused."""

    __slots__ = ("descriptor",)

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_RDONLY)

    def __del__(self) -> None:
        # Opening may have failed before there was anything to close.
        if hasattr(self, "descriptor"):
            os.close(self.descriptor)
