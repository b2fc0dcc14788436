"""Emptying a segment: what is live in it is copied to the log's end, and the file cut off, step by step.

Going from the file's tail to its front, each step needs no more space than its copies take, and gives it back
at once. A copy is synced and in the index before the original is cut off; nothing is ever written into the
segment itself. A record that turns out damaged ends the work on its segment: what is before it stays.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice

from peershelf.blockstore import multihash
from peershelf.blockstore.errors import StoreFull
from peershelf.blockstore.store.directories import sync_directory
from peershelf.blockstore.store.failures import os_failure
from peershelf.blockstore.store.holds import Position
from peershelf.blockstore.store.pack.log import Entry
from peershelf.blockstore.store.pack.pack import Pack
from peershelf.blockstore.store.pack.records import HEADER_SIZE, MAX_HEAD_SIZE, Kind, decode_head
from peershelf.blockstore.store.pack.roomy import with_room
from peershelf.blockstore.store.pack.scan import Gap, ScannedRecord, scan, skim
from peershelf.blockstore.store.pack.segments import Location, Segment

_COPIED_AT_ONCE = 4 << 20
_MOVED_AT_ONCE = 1024
_LOCATED_AT_ONCE = 512
_HARDLY_WORTH = 64


@dataclass(slots=True)
class _Contents:
    """What is in a segment, by the offsets of the records."""

    live: array[int] = field(default_factory=lambda: array("Q"))
    live_size: int = 0
    """Bytes of the live records."""
    tombstones: set[bytes] = field(default_factory=set)
    """Keys that must stay deleted."""
    recent: set[bytes] = field(default_factory=set)
    """Those that were deleted since the collection began."""


@dataclass(frozen=True, slots=True)
class _Copy:
    """A live record on its way."""

    start: int
    """Where the record is in its segment."""
    location: Location
    entry: Entry


class Compaction:
    """The emptying of one segment.

    `stained` are the numbers of the segments that had dead records when the log ended at `start`.
    """

    def __init__(self, pack: Pack, segment: Segment, stained: Container[int], start: Position) -> None:
        self._pack = pack
        self._segment = segment
        self._stained = stained
        self._start = start
        self._path = pack.directory / "segments" / segment.file_name
        self._end = 0
        self._step = _COPIED_AT_ONCE

    def is_worth_it(self) -> bool:
        """Whether enough space would come back. Raises StoreError."""
        with self._failures():
            return self._find_work() is not None

    def run(self) -> Iterator[int]:
        """Empty the segment, which must not be written to any more; yield bytes freed after each step.

        Raises StoreFull, StoreError.
        """
        with self._failures():
            work = self._find_work()
            if work is not None:
                yield from self._empty(*work)

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._pack.check_open()
            raise os_failure(error, f"compacting {self._segment.file_name}") from None

    def _find_work(self) -> tuple[_Contents, list[bytes]] | None:
        """Return what must stay, and the keys whose tombstones must; None if the segment is to be left."""
        self._end = self._path.stat().st_size
        contents = self._read()
        if contents is None:
            return None
        # What was deleted meanwhile may have been in a segment that had nothing dead before.
        told = self._told_before(contents) | contents.recent
        gain = self._end - contents.live_size - sum(HEADER_SIZE + len(key) for key in told)
        # Tombstones that are needed must not wander from segment to segment, collection by collection.
        return None if gain * _HARDLY_WORTH < self._end else (contents, sorted(told))

    def _empty(self, contents: _Contents, told: Sequence[bytes]) -> Iterator[int]:
        for start in range(0, len(told), _MOVED_AT_ONCE):
            yield -self._keep_deleted(told[start : start + _MOVED_AT_ONCE])
        left = len(contents.live)
        while left:
            copies = self._take(contents.live, left)
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

    def _read(self) -> _Contents | None:
        """Find out what must stay. Returns None for a segment that has a damaged record of a live block."""
        # Before looking: rows only ever leave this segment, so fewer are found if some left meanwhile, which
        # is harmless, or if one points to no sound record.
        rows = self._pack.index.count(self._segment.number)
        contents = self._contents(self._skimmed(self._segment))
        if contents is None:
            with self._path.open("rb") as file:
                whole = scan(file.fileno(), self._segment.mark, 0, self._end)
                contents = self._contents(whole, past_gaps=True)
        assert contents is not None
        return contents if len(contents.live) >= rows else None

    def _contents(
        self, records: Iterator[ScannedRecord | Gap], *, past_gaps: bool = False
    ) -> _Contents | None:
        contents = _Contents()
        while some := list(islice(records, _LOCATED_AT_ONCE)):
            blocks: list[ScannedRecord] = []
            for record in some:
                if isinstance(record, Gap):
                    if not past_gaps:
                        return None
                elif record.kind is Kind.TOMBSTONE:
                    is_recent = (self._segment.number, record.offset - 1) >= self._start
                    (contents.recent if is_recent else contents.tombstones).add(record.key)
                else:
                    blocks.append(record)
            self._enter_live(contents, blocks)
        return contents

    def _enter_live(self, contents: _Contents, blocks: Sequence[ScannedRecord]) -> None:
        located = self._pack.locate_many(record.key for record in blocks)
        for record in blocks:
            if located[record.key] == (self._segment.number, record.offset, record.length):
                start = record.offset - len(record.key) - HEADER_SIZE
                contents.live.append(start)
                contents.live_size += record.offset + record.length - start

    def _keep_deleted(self, keys: Sequence[bytes]) -> int:
        """Say again that blocks are deleted, those that are not back. Returns bytes written."""
        with self._pack.writing():
            entries = [Entry(Kind.TOMBSTONE, key) for key in keys if self._pack.locate(key) is None]
            with_room(self._pack.reserve, lambda: self._append(entries))
        return sum(entry.size for entry in entries)

    def _told_before(self, contents: _Contents) -> set[bytes]:
        """Return the deleted keys of which a record of a block is still in the log, before the tombstone.

        It can only be in a segment with dead records. One in this segment does not count where the file goes
        all at once.
        """
        told: set[bytes] = set()
        newest = self._segment.number if contents.live else self._segment.number - 1
        for segment in self._pack.files.known():
            if segment.number > newest or len(told) == len(contents.tombstones):
                break
            if segment.number not in self._stained and segment != self._segment:
                continue
            for record in self._skimmed(segment):
                if isinstance(record, Gap):
                    return contents.tombstones
                if record.kind is Kind.BLOCK and record.key in contents.tombstones:
                    told.add(record.key)
        return told

    def _skimmed(self, segment: Segment) -> Iterator[ScannedRecord | Gap]:
        descriptor = os.open(self._path.with_name(segment.file_name), os.O_RDONLY | os.O_CLOEXEC)
        try:
            yield from skim(descriptor, segment.mark, os.fstat(descriptor).st_size)
        finally:
            os.close(descriptor)

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
