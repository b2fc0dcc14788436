"""Bringing the index into step with the segments when a store is opened.

The rules, and what each damage comes to, are in docs/store-format.md under "Opening".
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from peershelf.blockstore.store.directories import sync_directory
from peershelf.blockstore.store.failures import os_failure
from peershelf.blockstore.store.pack.index import Index
from peershelf.blockstore.store.pack.records import Kind
from peershelf.blockstore.store.pack.segments import Location, Segment

if TYPE_CHECKING:
    from peershelf.blockstore.store.pack.scan import Gap


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes inside a segment that are no sound record: `length` of them from `offset` on."""

    segment: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class RecoveryReport:
    """What opening a store had to repair; nothing, after an orderly end."""

    index_rebuilt: bool = False
    """The index was lost, damaged or of no use, and every segment was read."""
    replayed: int = 0
    """Records read from segments because the index did not have them yet."""
    dropped: int = 0
    """Rows of the index that pointed at nothing."""
    truncated: int = 0
    """Bytes cut off the active segment's end."""
    damage: tuple[Damage, ...] = ()
    """What was passed over in the segments that were read."""


@dataclass(frozen=True, slots=True)
class _Tail:
    """The part of a segment that the index does not know."""

    segment: Segment
    start: int
    end: int
    may_be_cut: bool


@dataclass(frozen=True, slots=True)
class _Replay:
    """What a tail held: the last word on each key, and the gaps between sound records."""

    changes: dict[bytes, Location | None]
    records: int
    gaps: list[Gap]


def recover(
    directory: Path, index: Index, segments: Sequence[tuple[Segment, int]], *, rebuilt: bool
) -> RecoveryReport:
    """Repair the index, and cut the torn end off the last segment.

    `segments` are all that there are with their sizes, in order; `rebuilt` says that the index is a new one.
    Raises StoreFull, StoreError.
    """
    dropped = _drop_stale_rows(directory, index, segments)
    tails = _tails(index, segments)
    if not _continues_index(index, tails):
        index.clear()
        tails, rebuilt = _tails(index, segments), True
    records = truncated = 0
    damage: list[Damage] = []
    for tail in tails:
        replay, end = _replay(directory, index, tail)
        records += replay.records
        truncated += tail.end - end
        damage += (Damage(tail.segment.file_name, gap.offset, gap.end - gap.offset) for gap in replay.gaps)
    return RecoveryReport(rebuilt and bool(segments), records, dropped, truncated, tuple(damage))


def _drop_stale_rows(directory: Path, index: Index, segments: Sequence[tuple[Segment, int]]) -> int:
    """Drop rows of segments that are gone, replaced by another of the same number, or too short."""
    sizes = dict(segments)
    dropped = 0
    for known in index.segments():
        size = sizes.get(known.segment)
        if size is None:
            dropped += index.forget_segment(known.segment.number)
        elif size < known.indexed:
            _sync_segment(directory / known.segment.file_name)
            dropped += index.forget_past(known.segment, size)
    return dropped


def _sync_segment(path: Path) -> None:
    """Make sure that a file that a collection cut is not longer again after a power loss.

    What is behind the cut would then look like records that the index has yet to learn of.
    """
    try:
        descriptor = os.open(path, os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise os_failure(error, f"recovering {path}") from None


def _tails(index: Index, segments: Sequence[tuple[Segment, int]]) -> list[_Tail]:
    indexed = {known.segment: known.indexed for known in index.segments()}
    return [
        _Tail(segment, start, size, may_be_cut=segment == segments[-1][0])
        for segment, size in segments
        if size > (start := indexed.get(segment, 0))
    ]


def _continues_index(index: Index, tails: Sequence[_Tail]) -> bool:
    """Whether all that is indexed lies before the tails: replayed records must be newer than the rows."""
    if not tails:
        return True
    first = tails[0].segment.number
    return all(known.segment.number <= first or known.indexed == 0 for known in index.segments())


def _replay(directory: Path, index: Index, tail: _Tail) -> tuple[_Replay, int]:
    """Enter a tail in the index. Returns its records, and where the segment ends now."""
    path = directory / tail.segment.file_name
    try:
        descriptor = os.open(path, os.O_RDWR)
        try:
            replay = _read(descriptor, tail)
            end = _cut_torn_end(descriptor, tail, replay.gaps)
            # After a kill, what was just read may be in the kernel's cache alone.
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)
        sync_directory(directory)
    except OSError as error:
        raise os_failure(error, f"recovering {path}") from None
    index.commit(replay.changes, tail.segment, end)
    return replay, end


def _read(descriptor: int, tail: _Tail) -> _Replay:
    from peershelf.blockstore.store.pack.scan import (
        Gap,
        scan,
    )  # after an orderly end there is nothing to read

    changes: dict[bytes, Location | None] = {}
    records = 0
    gaps: list[Gap] = []
    for item in scan(descriptor, tail.segment.mark, tail.start, tail.end):
        if isinstance(item, Gap):
            gaps.append(item)
            continue
        records += 1
        location = Location(tail.segment.number, item.offset, item.length)
        changes[item.key] = location if item.kind is Kind.BLOCK else None
    return _Replay(changes, records, gaps)


def _cut_torn_end(descriptor: int, tail: _Tail, gaps: list[Gap]) -> int:
    """Cut the active segment where no sound record follows; that gap is no damage. Returns its end."""
    if not (tail.may_be_cut and gaps and gaps[-1].end == tail.end):
        return tail.end
    end = gaps.pop().offset
    os.ftruncate(descriptor, end)
    return end
