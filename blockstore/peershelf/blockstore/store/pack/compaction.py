"""Emptying a segment: what is live in it is copied to the log's end, and the file cut off, step by step.

Going from the file's tail to its front, each step needs no more space than its copies take, and gives it back
at once. A copy is synced and in the index before the original is cut off; nothing is ever written into the
segment itself. A record that turns out damaged ends the work on its segment: what is before it stays.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from peershelf.blockstore import multihash
from peershelf.blockstore.errors import StoreFull
from peershelf.blockstore.store.directories import sync_directory
from peershelf.blockstore.store.failures import os_failure
from peershelf.blockstore.store.pack.log import Entry
from peershelf.blockstore.store.pack.pack import Pack
from peershelf.blockstore.store.pack.records import MAX_HEAD_SIZE, Kind, decode_head
from peershelf.blockstore.store.pack.remains import Remains, RemainsFinder
from peershelf.blockstore.store.pack.roomy import with_room
from peershelf.blockstore.store.pack.segments import Location, Segment

_COPIED_AT_ONCE = 4 << 20
_MOVED_AT_ONCE = 1024
_HARDLY_WORTH = 64


@dataclass(frozen=True, slots=True)
class _Copy:
    """A live record on its way."""

    start: int
    """Where the record is in its segment."""
    location: Location
    entry: Entry


class Compaction:
    """The emptying of one segment; `find` finds out what must stay of it."""

    def __init__(self, pack: Pack, segment: Segment, find: RemainsFinder) -> None:
        self._pack = pack
        self._segment = segment
        self._find = find
        self._path = pack.directory / "segments" / segment.file_name
        self._end = 0
        self._step = _COPIED_AT_ONCE

    def is_worth_it(self) -> bool:
        """Whether enough space would come back. Raises StoreError."""
        with self._failures():
            return self._find_remains() is not None

    def run(self) -> Iterator[int]:
        """Empty the segment, which must not be written to any more; yield bytes freed after each step.

        Raises StoreFull, StoreError.
        """
        with self._failures():
            remains = self._find_remains()
            if remains is not None:
                yield from self._empty(remains)

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._pack.check_open()
            raise os_failure(error, f"compacting {self._segment.file_name}") from None

    def _find_remains(self) -> Remains | None:
        """Return what must stay; None if the segment is to be left, damaged or not worth the work."""
        self._end = self._path.stat().st_size
        remains = self._find.of(self._segment, self._end)
        # Tombstones that are needed must not wander from segment to segment, collection by collection.
        is_worth_it = remains is not None and (self._end - remains.size) * _HARDLY_WORTH >= self._end
        return remains if is_worth_it else None

    def _empty(self, remains: Remains) -> Iterator[int]:
        for start in range(0, len(remains.deleted), _MOVED_AT_ONCE):
            yield -self._keep_deleted(remains.deleted[start : start + _MOVED_AT_ONCE])
        left = len(remains.live)
        while left:
            copies = self._take(remains.live, left)
            if not copies:
                return
            try:
                freed = self._move(copies)
            except StoreFull:
                if len(copies) == 1:
                    raise
                self._step = 0  # one by one
                continue
            yield freed
            left -= len(copies)
        yield self._drop()

    def _keep_deleted(self, keys: Sequence[bytes]) -> int:
        """Say again that blocks are deleted, those that are not back. Returns bytes written."""
        with self._pack.writing():
            entries = [Entry(Kind.TOMBSTONE, key) for key in keys if self._pack.locate(key) is None]
            with_room(self._pack.reserve, lambda: self._append(entries))
        return sum(entry.size for entry in entries)

    def _take(self, starts: Sequence[int], left: int) -> list[_Copy]:
        """Read the last of the live records, some MiB, from the last one on, as far as they are sound."""
        copies: list[_Copy] = []
        size = 0
        while left and (not copies or (size < self._step and len(copies) < _MOVED_AT_ONCE)):
            left -= 1
            copy = self._copy(starts[left])
            if copy is None:
                break
            copies.append(copy)
            size += copy.entry.size
        return copies

    def _copy(self, start: int) -> _Copy | None:
        number = self._segment.number
        data = self._pack.read(Location(number, start, MAX_HEAD_SIZE))
        head = decode_head(self._segment.mark, data) if data else None
        if head is None:
            return None
        location = Location(number, start + head.size, head.payload_size)
        payload = self._pack.read(location)
        if payload is None or not multihash.matches(head.key, payload):
            return None
        return _Copy(start, location, Entry(Kind.BLOCK, head.key, payload))

    def _move(self, copies: Sequence[_Copy]) -> int:
        """Copy records to the log's end and cut them off here. Returns bytes freed."""
        with self._pack.writing():
            written = with_room(self._pack.reserve, lambda: self._write(copies))
            # Under the lock, so that nothing is cut any more once the store is closed.
            return self._cut(copies[-1].start) - written

    def _write(self, copies: Sequence[_Copy]) -> int:
        """Append those records that are still in use. Returns their bytes."""
        located = self._pack.locate_many(copy.entry.key for copy in copies)
        entries = [copy.entry for copy in copies if located[copy.entry.key] == copy.location]
        self._append(entries)
        return sum(entry.size for entry in entries)

    def _append(self, entries: Sequence[Entry]) -> None:
        self._pack.log.append(entries)
        self._pack.log.flush()

    def _cut(self, end: int) -> int:
        freed = self._end - end
        os.truncate(self._path, end)
        self._end = end
        return freed

    def _drop(self) -> int:
        """Remove the file, and only then what the index knows of it. Returns bytes freed."""
        number = self._segment.number
        with self._pack.writing():
            if self._pack.index.count(number):
                return 0
            self._path.unlink()
            self._pack.files.remove(number)
            sync_directory(self._path.parent)
            with_room(self._pack.reserve, lambda: self._pack.index.forget_empty(number))
        return self._end
