"""The block store that a node keeps its blocks in: segments, an index over them, and a lock.

Format, durability and recovery are defined in docs/store-format.md. One thread writes at a time, under a
lock; readers take none. They look among the pending records, then in the index, then read the file; since
records never change, the bytes are there whatever the writer does meanwhile.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from peershelf.blockstore import multihash
from peershelf.blockstore.block import MAX_BLOCK_SIZE, Block
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import (
    AlreadyCollecting,
    BlockNotFound,
    BlockTooLarge,
    CorruptBlock,
    StoreClosed,
    StoreError,
)
from peershelf.blockstore.store.base import Blockstore, Collection, Hold, StoreStats, Swept
from peershelf.blockstore.store.directories import make_directory
from peershelf.blockstore.store.failures import os_failure
from peershelf.blockstore.store.holds import HeldKeys, Holds
from peershelf.blockstore.store.lock import DirectoryLock
from peershelf.blockstore.store.pack.index import Index
from peershelf.blockstore.store.pack.log import Entry, Log
from peershelf.blockstore.store.pack.records import HEADER_SIZE, Kind, decode_head
from peershelf.blockstore.store.pack.recovery import RecoveryReport, recover
from peershelf.blockstore.store.pack.segments import Location, SegmentFiles, list_segments

SEGMENT_SIZE = 64 * 1024 * 1024
"""Bytes at which a segment is full."""

_MAX_UNSYNCED = 32 * 1024 * 1024
_BATCH_BYTES = 16 * 1024 * 1024
_BATCH_BLOCKS = 1024
_SWEPT_AT_ONCE = 1024
# Errors that mean that the bytes are lost, not that they cannot be had just now.
_LOST = frozenset({errno.ENOENT, errno.EIO})


class PackStore(Blockstore):
    """Blocks on disk. Make one with PackStore.open()."""

    def __init__(
        self,
        directory: Path,
        lock: DirectoryLock,
        index: Index,
        files: SegmentFiles,
        log: Log,
        recovery: RecoveryReport,
    ) -> None:
        self.recovery = recovery
        """What opening the store had to repair."""
        self._directory = directory
        self._directory_lock = lock
        self._index = index
        self._files = files
        self._log = log
        self._write_lock = threading.Lock()
        self._closed = False
        self._holds = Holds()
        self._collection: HeldKeys | None = None

    @classmethod
    def open(cls, directory: Path, *, segment_size: int = SEGMENT_SIZE) -> PackStore:
        """Open the store in `directory`, which holds `segments/` and `index.db`; make them where absent.

        Repairs what a crash or damage has left; `recovery` then says what. Takes a lock of its own in
        `segments/`. Raises StoreLocked if the store is open already, StoreFull, StoreError.
        """
        folder = directory / "segments"
        with ExitStack() as opened:
            try:
                make_directory(folder)
                lock = opened.enter_context(DirectoryLock(folder / "lock"))
                index, rebuilt = Index.open(directory / "index.db")
                opened.callback(index.close)
                found = list_segments(folder)
                recovery = recover(folder, index, found, rebuilt=rebuilt)
                segments = [segment for segment, _ in found]
                files = SegmentFiles(folder, segments)
                log = Log(folder, index, files, segments[-1] if segments else None, segment_size)
            except OSError as error:
                raise os_failure(error, f"opening {folder}") from None
            opened.pop_all()
        return cls(directory, lock, index, files, log, recovery)

    def put_many(self, blocks: Iterable[Block], *, durable: bool = True) -> None:
        self.put_held(blocks, HeldKeys(), durable=durable)

    def put_held(self, blocks: Iterable[Block], held: HeldKeys, *, durable: bool) -> None:
        """Put blocks and enter them into a hold."""
        losses = self.losses
        for batch in _batches(blocks):
            with self._writing():
                self._append_missing(batch)
                keys = [block.cid.multihash for block in batch]
                held.keys.update(keys)
                if self._collection is not None:
                    self._collection.keys.update(keys)
                if not durable and self._log.unsynced >= _MAX_UNSYNCED:
                    self._log.flush()
        if durable:
            self.sync(losses=losses)

    def get(self, cid: Cid) -> bytes:
        key = cid.multihash
        location = self._locate(key)
        while location is not None:
            data = self._read(location)
            if data is not None and multihash.matches(key, data):
                return data
            # A sound copy may have taken the place of a damaged one in the meantime.
            latest = self._locate(key)
            if latest == location:
                self._check_row(key, location)
                raise CorruptBlock(f"block {cid} is damaged on disk")
            location = latest
        raise BlockNotFound(f"block {cid} is not in the store")

    def has(self, cid: Cid) -> bool:
        return self._locate(cid.multihash) is not None

    def size(self, cid: Cid) -> int | None:
        location = self._locate(cid.multihash)
        return None if location is None else location.length

    def keep(self, cids: Iterable[Cid], held: HeldKeys) -> list[Cid]:
        """Enter blocks that are there into a hold; returns the others."""
        missing: list[Cid] = []
        with self._writing():
            for cid in cids:
                if self._locate(cid.multihash) is None:
                    missing.append(cid)
                else:
                    held.keys.add(cid.multihash)
        return missing

    def sweep_some(self, keys: Sequence[bytes]) -> Swept:
        """Remove those of the blocks that are not held."""
        with self._writing():
            held = self._holds.protect(keys)
            found = {key: self._locate(key) for key in keys if key not in held}
            entries = [Entry(Kind.TOMBSTONE, key) for key, location in found.items() if location is not None]
            self._log.append(entries)
            self._log.flush()
        sizes = sum(location.length for location in found.values() if location is not None)
        return Swept(tuple(entry.key for entry in entries), sizes, 0)

    def hold(self) -> Hold:
        return _PackHold(self, self._holds)

    @contextmanager
    def collecting(self) -> Iterator[Collection]:
        self._check_open()
        if not self._holds.begin_collection():
            raise AlreadyCollecting("a garbage collection is under way already")
        self._collection = self._holds.open()
        try:
            yield _PackCollection(self)
        finally:
            self._holds.close(self._collection)
            self._collection = None
            self._holds.end_collection()

    def delete_many(self, cids: Iterable[Cid]) -> int:
        keys = dict.fromkeys(cid.multihash for cid in cids)
        with self._writing():
            entries = [Entry(Kind.TOMBSTONE, key) for key in keys if self._locate(key) is not None]
            self._log.append(entries)
            self._log.flush()
        return len(entries)

    def multihashes(self) -> Iterator[bytes]:
        self._check_open()
        return self._keys_in_order()

    def stats(self) -> StoreStats:
        self._check_open()
        blocks, payload_size = self._index.totals(self._log.pending.copy())
        return StoreStats(blocks, payload_size, _files_size(self._directory))

    @property
    def losses(self) -> int:
        return self._log.losses

    def sync(self, *, losses: int | None = None) -> None:
        with self._writing():
            self._log.flush()
            if losses is not None and self._log.losses != losses:
                raise StoreError("syncing the store failed in another thread: try again")

    def close(self) -> None:
        with self._write_lock, ExitStack() as closing:
            if self._closed:
                return
            self._closed = True
            closing.callback(self._directory_lock.release)
            closing.callback(self._files.close)
            closing.callback(self._index.close)
            closing.callback(self._log.close)
            self._log.flush()

    def _check_open(self) -> None:
        if self._closed:
            raise StoreClosed("the block store is closed")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._write_lock:
            self._check_open()
            yield

    def _append_missing(self, blocks: Sequence[Block]) -> None:
        entries: dict[bytes, Entry] = {}
        for block in blocks:
            if len(block.data) > MAX_BLOCK_SIZE:
                raise BlockTooLarge(
                    f"a block of {len(block.data)} bytes is over the limit of {MAX_BLOCK_SIZE}"
                )
            key = block.cid.multihash
            if key not in entries and not self._has_sound(block):
                entries[key] = Entry(Kind.BLOCK, key, block.data)
        self._log.append(list(entries.values()))

    def _has_sound(self, block: Block) -> bool:
        """Whether a sound copy is stored; comparing with the bytes at hand is cheaper than hashing it."""
        location = self._locate(block.cid.multihash)
        if location is None or location.length != len(block.data):
            return False
        return self._read(location) == block.data

    def _locate(self, key: bytes) -> Location | None:
        self._check_open()
        pending = self._log.pending
        if key in pending:
            return pending[key]
        return self._index.locate(key)

    def _read(self, location: Location) -> bytes | None:
        """Return the bytes at a location, fewer than its length if the file ends, None if they are lost."""
        if not location.is_plausible:
            return None
        try:
            return self._files.read(*location)
        except OSError as error:
            self._check_open()
            if error.errno not in _LOST:
                raise os_failure(error, f"reading segment {location.segment}") from None
            return None

    def _check_row(self, key: bytes, location: Location) -> None:
        """Distrust the index if a damaged block's record is not even this block's."""
        if not (location.is_plausible and self._is_record_of(key, location)):
            self._index.distrust()

    def _is_record_of(self, key: bytes, location: Location) -> bool:
        head_size = HEADER_SIZE + len(key)
        data = self._read(Location(location.segment, location.offset - head_size, head_size))
        head = decode_head(self._files.mark(location.segment), data) if data else None
        return head is not None and (head.key, head.payload_size) == (key, location.length)

    def _keys_in_order(self) -> Iterator[bytes]:
        """Walk the keys page by page, so that no transaction stays open while the caller takes its time."""
        after: bytes | None = b""
        while after is not None:
            # Pending first: what is committed between the two reads is then in at least one of them.
            pending = self._log.pending.copy()
            page = self._index.keys(after)
            last = page[-1] if page else None
            unindexed = {key for key in pending if key > after and (last is None or key <= last)}
            if unindexed:
                # None stands for a deletion.
                page = sorted(key for key in unindexed.union(page) if pending.get(key, True))
            yield from page
            after = last


class _PackHold(Hold):
    def __init__(self, store: PackStore, holds: Holds) -> None:
        self._store = store
        self._holds = holds
        self._held = holds.open()

    def put_many(self, blocks: Iterable[Block], *, durable: bool = True) -> None:
        self._store.put_held(blocks, self._held, durable=durable)

    def keep(self, cids: Iterable[Cid]) -> list[Cid]:
        return self._store.keep(cids, self._held)

    def close(self) -> None:
        self._holds.close(self._held)


class _PackCollection(Collection):
    def __init__(self, store: PackStore) -> None:
        self._store = store

    def sweep(
        self, is_live: Callable[[bytes], bool], *, before_step: Callable[[], None] = lambda: None
    ) -> Iterator[Swept]:
        garbage = [key for key in self._store.multihashes() if not is_live(key)]
        for start in range(0, len(garbage), _SWEPT_AT_ONCE):
            before_step()
            keys = garbage[start : start + _SWEPT_AT_ONCE]
            yield self._store.sweep_some([key for key in keys if not is_live(key)])


def _batches(blocks: Iterable[Block]) -> Iterator[list[Block]]:
    """Cut any number of blocks into pieces that fit into memory."""
    batch: list[Block] = []
    size = 0
    for block in blocks:
        batch.append(block)
        size += len(block.data)
        if size >= _BATCH_BYTES or len(batch) >= _BATCH_BLOCKS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _files_size(directory: Path) -> int:
    """Return the bytes of the segments and of the index."""
    size = 0
    for folder, prefix in ((directory / "segments", ""), (directory, "index.db")):
        with os.scandir(folder) as entries:
            size += sum(
                entry.stat().st_size for entry in entries if entry.name.startswith(prefix) and entry.is_file()
            )
    return size
