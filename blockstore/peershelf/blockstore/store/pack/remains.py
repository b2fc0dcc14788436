"""What must stay of a segment: its live records, and the tombstones that are still needed.

Records are found by their heads, and their keys asked for in the index: it has no way to find the rows of one
segment but to go through all of them.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from peershelf.blockstore.store.holds import Position
from peershelf.blockstore.store.pack.pack import Pack
from peershelf.blockstore.store.pack.records import HEADER_SIZE, Kind
from peershelf.blockstore.store.pack.scan import Gap, ScannedRecord, scan, skim
from peershelf.blockstore.store.pack.segments import Segment

_LOCATED_AT_ONCE = 512


@dataclass(frozen=True, slots=True)
class Remains:
    """What a segment can not be emptied without keeping elsewhere."""

    live: Sequence[int]
    """Where the live records start, in order."""
    deleted: Sequence[bytes]
    """Keys whose tombstones are needed."""
    size: int
    """Bytes of all these records."""


@dataclass(slots=True)
class _Contents:
    live: array[int] = field(default_factory=lambda: array("Q"))
    live_size: int = 0
    tombstones: set[bytes] = field(default_factory=set)
    recent: set[bytes] = field(default_factory=set)
    """Keys that were deleted since the collection began; `tombstones` are those of before."""


class RemainsFinder:
    """Finds what must stay.

    `stained` are the numbers of the segments that had dead records when the log ended at `start`.
    """

    def __init__(self, pack: Pack, stained: Container[int], start: Position) -> None:
        self._pack = pack
        self._stained = stained
        self._start = start

    def of(self, segment: Segment, end: int) -> Remains | None:
        """Return what must stay of a segment of `end` bytes; None if a live record's head is damaged.

        Raises OSError, StoreError.
        """
        contents = self._read(segment, end)
        if contents is None:
            return None
        # What was deleted meanwhile may have been in a segment that had nothing dead before.
        deleted = sorted(self._told_before(segment, contents) | contents.recent)
        size = contents.live_size + sum(HEADER_SIZE + len(key) for key in deleted)
        return Remains(contents.live, deleted, size)

    def _read(self, segment: Segment, end: int) -> _Contents | None:
        # Before looking: rows only ever leave this segment, so fewer are found if some left meanwhile, which
        # is harmless, or if one points to no sound record.
        rows = self._pack.index.count(segment.number)
        contents = self._contents(segment, self._skimmed(segment))
        if contents is None:
            with self._path(segment).open("rb") as file:
                whole = scan(file.fileno(), segment.mark, 0, end)
                contents = self._contents(segment, whole, past_gaps=True)
        assert contents is not None
        return contents if len(contents.live) >= rows else None

    def _contents(
        self, segment: Segment, records: Iterator[ScannedRecord | Gap], *, past_gaps: bool = False
    ) -> _Contents | None:
        contents = _Contents()
        while some := list(islice(records, _LOCATED_AT_ONCE)):
            blocks: list[ScannedRecord] = []
            for record in some:
                if isinstance(record, Gap):
                    if not past_gaps:
                        return None
                elif record.kind is Kind.TOMBSTONE:
                    is_recent = (segment.number, record.offset - 1) >= self._start
                    (contents.recent if is_recent else contents.tombstones).add(record.key)
                else:
                    blocks.append(record)
            self._enter_live(contents, segment.number, blocks)
        return contents

    def _enter_live(self, contents: _Contents, number: int, blocks: Sequence[ScannedRecord]) -> None:
        located = self._pack.locate_many(record.key for record in blocks)
        for record in blocks:
            if located[record.key] == (number, record.offset, record.length):
                start = record.offset - len(record.key) - HEADER_SIZE
                contents.live.append(start)
                contents.live_size += record.offset + record.length - start

    def _told_before(self, segment: Segment, contents: _Contents) -> set[bytes]:
        """Return the deleted keys of which a record of a block is still in the log, before the tombstone.

        It can only be in a segment with dead records. One in this segment does not count where the file goes
        all at once.
        """
        told: set[bytes] = set()
        newest = segment.number if contents.live else segment.number - 1
        for older in self._pack.files.known():
            if older.number > newest or len(told) == len(contents.tombstones):
                break
            if older.number not in self._stained and older != segment:
                continue
            for record in self._skimmed(older):
                if isinstance(record, Gap):
                    return contents.tombstones
                if record.kind is Kind.BLOCK and record.key in contents.tombstones:
                    told.add(record.key)
        return told

    def _skimmed(self, segment: Segment) -> Iterator[ScannedRecord | Gap]:
        descriptor = os.open(self._path(segment), os.O_RDONLY | os.O_CLOEXEC)
        try:
            yield from skim(descriptor, segment.mark, os.fstat(descriptor).st_size)
        finally:
            os.close(descriptor)

    def _path(self, segment: Segment) -> Path:
        return self._pack.directory / "segments" / segment.file_name
