"""The log's writing end: appends records, syncs them, and only then, much later, lets the index know.

What has been appended but is not in the index yet is *pending*: readers look there first. Pending records
lie in one segment, the active one or, after a failed sync, the last one before it. What of them is synced is
durable without the index: opening the store reads the segment's end again. So the index gets many rows at
once, in the order of its keys. Methods must be called under the store's write lock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from peershelf.blockstore.errors import StoreError
from peershelf.blockstore.store.failures import os_failure
from peershelf.blockstore.store.pack.active import MAX_BUFFERS, ActiveSegment
from peershelf.blockstore.store.pack.index import Index
from peershelf.blockstore.store.pack.pace import is_scarce
from peershelf.blockstore.store.pack.pending import Pending, Places
from peershelf.blockstore.store.pack.records import Kind, encode_head, record_size
from peershelf.blockstore.store.pack.segments import Location, Segment, SegmentFiles
from peershelf.blockstore.store.pack.staging import Staging

_MAX_PENDING_RECORDS = 65_536
_MAX_GROUP = MAX_BUFFERS // 2


@dataclass(frozen=True, slots=True)
class Entry:
    """A record to append."""

    kind: Kind
    key: bytes
    payload: bytes = b""

    @property
    def size(self) -> int:
        """Bytes that the record takes."""
        return record_size(self.key, self.payload)


class Log:
    """Appends to the last segment, and starts the next one when it is full.

    `losses` counts failed syncs: each dropped everything that was not durable.
    """

    def __init__(
        self, directory: Path, index: Index, files: SegmentFiles, last: Segment | None, segment_size: int
    ) -> None:
        """Go on behind the segment `last`, all of which is synced and indexed. Raises OSError."""
        self.losses = 0
        self._pending = Pending()
        self._synced: tuple[Segment, int] | None = None
        self._is_overdue = False
        self._directory = directory
        self._index = index
        self._files = files
        self._staging = Staging()
        self._active = ActiveSegment.reopen(directory, last, self._staging) if last else None
        self._last_number = last.number if last else 0
        self._segment_size = segment_size
        self._broken = False

    @property
    def pending(self) -> Places:
        """What is not in the index yet. Any thread may ask."""
        return self._pending.places

    @property
    def unsynced(self) -> int:
        """Bytes appended since the last sync."""
        return self._active.end - self._active.synced if self._active else 0

    @property
    def position(self) -> tuple[int, int]:
        """Where the next record goes, or before that: segment and offset. Any thread may ask."""
        active = self._active
        return (self._last_number + 1, 0) if active is None else (active.segment.number, active.end)

    def roll(self) -> None:
        """End the active segment, so that what comes next goes to another. Raises StoreFull, StoreError."""
        self.flush()
        self.close()

    def append(self, entries: Sequence[Entry], *, behind: bool = False) -> None:
        """Write records; they become pending.

        Raises StoreFull or StoreError; then those before the failing one may be pending. `behind` lets the
        last of them be on their way to the disk still; a failure drops what was not durable, and comes out
        of the next append, wait() or sync().
        """
        if self._broken:
            raise StoreError("writing to the store is off after an I/O error: restart to check it and go on")
        if self._is_overdue:
            self.flush()
        if not behind:
            self.wait()
        start = 0
        while start < len(entries):
            active = self._segment_for(entries[start].size)
            group = self._fitting(entries, start, active.end)
            self._append_group(active, group, behind)
            start += len(group)

    def wait(self) -> None:
        """Wait until all that was appended is written. Raises StoreFull or StoreError if it cannot be."""
        active = self._active
        if active is None:
            return
        try:
            active.wait()
        except OSError as error:
            self._abandon(active)
            raise os_failure(error, f"writing to {active.segment.file_name}") from None

    def await_written(self, segment: int, end: int) -> None:
        """Wait until a segment can be read up to `end`. Any thread may ask. Raises StoreFull, StoreError."""
        active = self._active
        if active is None or active.segment.number != segment:
            return
        try:
            active.await_written(end)
        except OSError as error:
            raise os_failure(error, f"writing to {active.segment.file_name}") from None

    def settle(self) -> None:
        """Make what is pending durable, and put it in the index where it is much or space is scarce.

        On a full disk, an index that lacks little is worth more than one that is made in large steps.
        Raises as flush() does.
        """
        self.sync()
        if len(self._pending) >= _MAX_PENDING_RECORDS or self._is_overdue or is_scarce(self._directory):
            self.flush()

    def flush(self) -> None:
        """Make what is pending durable, then put it in the index.

        Raises StoreFull or StoreError. If it was the sync that failed, what was not durable is dropped.
        """
        self.sync()
        if not self._pending:
            return
        assert self._synced is not None
        # Until it has worked; a failure also keeps more from becoming pending.
        self._is_overdue = True
        self._index.commit(self._pending.places, *self._synced)
        self._is_overdue = False
        self._pending.clear()

    def sync(self) -> None:
        """Make what is pending durable. Raises StoreFull or StoreError; then what was not is dropped."""
        self.wait()
        active = self._active
        if active is None or active.synced == active.end:
            return
        try:
            active.sync()
        except OSError as error:
            self._abandon(active)
            raise os_failure(error, f"syncing {active.segment.file_name}") from None
        self._pending.note_sync()
        self._synced = active.segment, active.end

    def close(self) -> None:
        """Close the active segment; what is pending is not flushed."""
        if self._active is not None:
            self._active.close()
            self._active = None

    def _segment_for(self, size: int) -> ActiveSegment:
        """Return the active segment if it takes a record of `size`, else the next one."""
        active = self._active
        if active is not None and (active.end == 0 or active.end + size <= self._segment_size):
            if len(self._pending) >= _MAX_PENDING_RECORDS:
                self.flush()
            return active
        self.flush()
        self.close()
        segment = Segment.new(self._last_number + 1)
        try:
            self._active = ActiveSegment.create(self._directory, segment, self._staging)
        except OSError as error:
            raise os_failure(error, f"creating {segment.file_name}") from None
        self._last_number = segment.number
        self._files.add(segment)
        return self._active

    def _fitting(self, entries: Sequence[Entry], start: int, end: int) -> Sequence[Entry]:
        """Return the entries from `start` on, at least one, that go into this segment with one write."""
        stop = start
        while stop < len(entries) and stop - start < _MAX_GROUP:
            end += entries[stop].size
            if stop > start and end > self._segment_size:
                break
            stop += 1
        return entries[start:stop]

    def _append_group(self, active: ActiveSegment, group: Sequence[Entry], behind: bool) -> None:
        buffers: list[bytes] = []
        places: dict[bytes, Location | None] = {}
        offset = active.end
        for entry in group:
            head = encode_head(active.segment.mark, entry.kind, entry.key, entry.payload)
            buffers += head, entry.payload
            offset += len(head)
            is_block = entry.kind is Kind.BLOCK
            places[entry.key] = (
                Location(active.segment.number, offset, len(entry.payload)) if is_block else None
            )
            offset += len(entry.payload)
        try:
            if behind:
                active.append_behind(buffers)
            else:
                active.append(buffers)
        except OSError as error:
            if behind:
                self._abandon(active)
            raise os_failure(error, f"writing to {active.segment.file_name}") from None
        self._pending.add(places)

    def _abandon(self, active: ActiveSegment) -> None:
        """Give up what a failed sync, or a write behind an append, left in doubt.

        After a sync the kernel may have marked pages clean that never reached the disk, so that a second
        one would succeed and mean nothing. Cutting the segment drops those pages; it is never written to
        again.
        """
        self._pending.drop_unsynced()
        self.losses += 1
        try:
            active.cut_to_synced()
        except OSError:
            self._broken = True
        self.close()
