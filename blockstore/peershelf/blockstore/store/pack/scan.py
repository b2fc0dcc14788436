"""Reading a segment from front to back, past whatever is damaged in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from zlib_ng.zlib_ng import crc32

from peershelf.blockstore.store.pack.records import MAX_HEAD_SIZE, Kind, decode_head

_WINDOW = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ScannedRecord:
    """A record: where its payload starts, and its length in bytes."""

    kind: Kind
    key: bytes
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Bytes that are no sound record, from `offset` up to `end`."""

    offset: int
    end: int


def scan(descriptor: int, mark: bytes, start: int, end: int) -> Iterator[ScannedRecord | Gap]:
    """Yield what lies between two offsets, in order and without holes. Two gaps never touch.

    Raises OSError where the file cannot be read: a disk that refuses to say is no evidence of damage.
    """
    window = _Window(descriptor, end)
    offset = gap_start = start
    while offset < end:
        record, behind = _record_at(window, mark, offset)
        if record is None:
            offset = behind if behind is not None else window.find(mark, offset + 1)
            continue
        if gap_start < offset:
            yield Gap(gap_start, offset)
        yield record
        assert behind is not None
        offset = gap_start = behind
    if gap_start < end:
        yield Gap(gap_start, end)


def skim(descriptor: int, mark: bytes, end: int) -> Iterator[ScannedRecord | Gap]:
    """Yield the records up to an offset by their heads alone; a gap to the end where one is not sound.

    Payloads are not read. Raises OSError.
    """
    offset = 0
    while offset < end:
        head = decode_head(mark, os.pread(descriptor, MAX_HEAD_SIZE, offset))
        behind = offset if head is None else offset + head.size + head.payload_size
        if head is None or behind > end:
            yield Gap(offset, end)
            return
        yield ScannedRecord(head.kind, head.key, offset + head.size, head.payload_size)
        offset = behind


def _record_at(window: _Window, mark: bytes, offset: int) -> tuple[ScannedRecord | None, int | None]:
    """Return the record if it is sound, and the offset behind it if at least its head is."""
    head = decode_head(mark, window.read(offset, MAX_HEAD_SIZE))
    if head is None:
        return None, None
    payload = window.read(offset + head.size, head.payload_size)
    if len(payload) < head.payload_size:
        return None, None
    behind = offset + head.size + head.payload_size
    if crc32(payload) != head.payload_checksum:
        return None, behind
    return ScannedRecord(head.kind, head.key, offset + head.size, head.payload_size), behind


class _Window:
    """A stretch of the file in memory, which moves forward as reads do."""

    def __init__(self, descriptor: int, end: int) -> None:
        self._descriptor = descriptor
        self._end = end
        self._start = 0
        self._data = b""

    def read(self, offset: int, length: int) -> bytes:
        """Return `length` bytes, fewer at the end."""
        length = min(length, self._end - offset)
        at = offset - self._start
        if at < 0 or at + length > len(self._data):
            self._data = os.pread(self._descriptor, min(max(length, _WINDOW), self._end - offset), offset)
            self._start, at = offset, 0
        return self._data[at : at + length]

    def find(self, needle: bytes, offset: int) -> int:
        """Return where `needle` comes next, or the end."""
        while offset < self._end:
            chunk = self.read(offset, _WINDOW)
            found = chunk.find(needle)
            if found >= 0:
                return offset + found
            if len(chunk) < len(needle):
                break
            offset += len(chunk) - len(needle) + 1
        return self._end
