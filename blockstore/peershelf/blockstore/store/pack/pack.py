"""The parts of an open store, and what reading, writing and collecting have in common.

One thread writes at a time, under `writing()`; readers take no lock. They look among the pending records,
then in the index, then read the file; since records never change, the bytes are there whatever the writer
does meanwhile. A collection moves records: then the new place is in the index before the old one is gone.
"""

from __future__ import annotations

import errno
import threading
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from peershelf.blockstore.errors import StoreClosed
from peershelf.blockstore.store.failures import os_failure
from peershelf.blockstore.store.holds import Holds
from peershelf.blockstore.store.pack.index import Index
from peershelf.blockstore.store.pack.log import Log
from peershelf.blockstore.store.pack.records import HEADER_SIZE, Kind, decode_head, encode_head
from peershelf.blockstore.store.pack.reserve import Reserve
from peershelf.blockstore.store.pack.segments import Location, SegmentFiles

# Errors that mean that the bytes are lost, not that they cannot be had just now.
_LOST = frozenset({errno.ENOENT, errno.EIO})


class Pack:
    """Index, segments, log, holds and reserve of one open store."""

    def __init__(self, directory: Path, index: Index, files: SegmentFiles, log: Log) -> None:
        self.directory = directory
        """Where `segments/` is."""
        self.index = index
        self.files = files
        self.log = log
        self.holds = Holds()
        self.reserve = Reserve(directory)
        self.closed = False
        self._write_lock = threading.Lock()

    @contextmanager
    def writing(self, *, even_closed: bool = False) -> Iterator[None]:
        """Be the one that writes. Raises StoreClosed."""
        with self._write_lock:
            if not even_closed:
                self.check_open()
            yield

    def check_open(self) -> None:
        """Raise StoreClosed once the store was closed."""
        if self.closed:
            raise StoreClosed("the block store is closed")

    def locate(self, key: bytes) -> Location | None:
        """Return where a block is. Raises StoreClosed, StoreError."""
        self.check_open()
        pending = self.log.pending
        if key in pending:
            return pending[key]
        return self.index.locate(key)

    def locate_many(self, keys: Iterable[bytes]) -> dict[bytes, Location | None]:
        """Return where blocks are, whatever is put or moved meanwhile. Raises StoreClosed, StoreError."""
        self.check_open()
        pending = self.log.pending
        located = self.index.locate_many(keys)
        if pending:
            located.update((key, pending[key]) for key in located.keys() & pending.keys())
        return located

    def locate_to_put(self, keys: Iterable[bytes]) -> dict[bytes, Location | None]:
        """As locate_many(), and faster for keys that are new. For the one that writes."""
        pending = self.log.pending
        located = {key: pending.get(key) for key in keys}
        candidates = self.index.candidates(key for key in located if key not in pending)
        if candidates:
            located.update(self.index.locate_many(candidates))
        return located

    def keys(self) -> Iterator[bytes]:
        """Walk the keys in order, page by page: no transaction stays open while the caller takes its time."""
        # Pending first: what is committed meanwhile is then in at least one of the two.
        pending = dict(self.log.pending)
        waiting = sorted(pending)
        after: bytes | None = b""
        start = 0
        while after is not None:
            page = self.index.keys(after)
            after = page[-1] if page else None
            stop = len(waiting) if after is None else bisect_right(waiting, after)
            if start < stop:
                # None stands for a deletion.
                page = sorted(key for key in {*page, *waiting[start:stop]} if pending.get(key, True))
            yield from page
            start = stop

    def read(self, location: Location) -> bytes | None:
        """Return the bytes at a location, fewer than its length if the file ends, None if they are lost."""
        if not location.is_plausible:
            return None
        return self._read(*location)

    def read_record(self, key: bytes, location: Location) -> memoryview | None:
        """Return a block's bytes if they are what its record was written for; None if they are not, or lost.

        One read gives the record's head too. It is compared with what it would be for these bytes, which
        is so only if key, length and both checksums are right.
        """
        head_size = HEADER_SIZE + len(key)
        mark = self.files.mark(location.segment)
        if mark is None or not location.is_plausible or location.offset < head_size:
            return None
        data = self._read(location.segment, location.offset - head_size, head_size + location.length)
        if data is None or len(data) != head_size + location.length:
            return None
        payload = memoryview(data)[head_size:]
        return payload if data.startswith(encode_head(mark, Kind.BLOCK, key, payload)) else None

    def _read(self, segment: int, offset: int, length: int) -> bytes | None:
        self.log.await_written(segment, offset + length)
        try:
            return self.files.read(segment, offset, length)
        except OSError as error:
            self.check_open()
            if error.errno not in _LOST:
                raise os_failure(error, f"reading segment {segment}") from None
            return None

    def check_row(self, key: bytes, location: Location) -> None:
        """Distrust the index if a damaged block's record is not even this block's."""
        if location.is_plausible and self._is_record_of(key, location):
            return
        # A collection may have taken row and record away since the row was read, the row first.
        if self.locate(key) == location:
            self.index.distrust()

    def _is_record_of(self, key: bytes, location: Location) -> bool:
        head_size = HEADER_SIZE + len(key)
        data = self.read(Location(location.segment, location.offset - head_size, head_size))
        mark = self.files.mark(location.segment)
        head = decode_head(mark, data) if data and mark else None
        return head is not None and (head.key, head.payload_size) == (key, location.length)
