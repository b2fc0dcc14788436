"""The block store that a node keeps its blocks in: segments, an index over them, and a lock.

Format, durability and recovery are defined in docs/store-format.md; `pack` says who reads and writes how.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

from peershelf.blockstore import multihash
from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import (
    AlreadyCollecting,
    BlockNotFound,
    CorruptBlock,
    StoreError,
    StoreFull,
)
from peershelf.blockstore.store.base import Blockstore, Collection, Hold, StoreStats, T
from peershelf.blockstore.store.directories import make_directory
from peershelf.blockstore.store.failures import os_failure
from peershelf.blockstore.store.holds import HeldKeys
from peershelf.blockstore.store.lock import DirectoryLock
from peershelf.blockstore.store.pack.disk_use import index_size, segments_size
from peershelf.blockstore.store.pack.hold import PackHold
from peershelf.blockstore.store.pack.index import Index
from peershelf.blockstore.store.pack.log import Entry, Log
from peershelf.blockstore.store.pack.pack import Pack
from peershelf.blockstore.store.pack.putting import append_missing, batches
from peershelf.blockstore.store.pack.records import Kind
from peershelf.blockstore.store.pack.recovery import RecoveryReport, recover
from peershelf.blockstore.store.pack.reserve import Reserve
from peershelf.blockstore.store.pack.roomy import with_room
from peershelf.blockstore.store.pack.segments import Location, SegmentFiles, list_segments

SEGMENT_SIZE = 64 * 1024 * 1024
"""Bytes at which a segment is full."""

_MAX_UNSYNCED = 32 * 1024 * 1024


class PackStore(Blockstore):
    """Blocks on disk. Make one with PackStore.open()."""

    def __init__(self, pack: Pack, lock: DirectoryLock, recovery: RecoveryReport, segment_size: int) -> None:
        self.recovery = recovery
        """What opening the store had to repair."""
        self._pack = pack
        self._directory_lock = lock
        self._segment_size = segment_size

    @classmethod
    def open(cls, directory: Path, *, segment_size: int = SEGMENT_SIZE) -> PackStore:
        """Open the store in `directory`, which holds `segments/` and `index.db`; make them where absent.

        Repairs what a crash or damage has left; `recovery` then says what. Takes a lock of its own in
        `segments/`. Raises StoreLocked if the store is open already, StoreFull, StoreError.
        """
        return with_room(Reserve(directory), lambda: cls._open(directory, segment_size))

    @classmethod
    def _open(cls, directory: Path, segment_size: int) -> PackStore:
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
        return cls(Pack(directory, index, files, log), lock, recovery, segment_size)

    def put_many(self, blocks: Iterable[Block], *, durable: bool = True) -> None:
        self.put_held(blocks, None, durable=durable)

    def put_held(
        self, blocks: Iterable[Block], held: HeldKeys | None, *, durable: bool, behind: bool = False
    ) -> None:
        """Put blocks within a hold, if there is one; `behind` as in Hold.put_behind()."""
        losses = self.losses
        for batch in batches(blocks):
            with self._pack.writing():
                append_missing(self._pack, batch, held, behind=behind)
                # What is written behind is on its way already, and synced at its segment's end at the latest.
                if not (durable or behind) and self._pack.log.unsynced >= _MAX_UNSYNCED:
                    self._pack.log.settle()
        if durable:
            self.sync(losses=losses)

    def keep(self, cids: Iterable[Cid], held: HeldKeys) -> dict[Cid, int]:
        """Enter blocks that are there into a hold; returns their lengths."""
        with self._pack.writing():
            found = self._locate_all(cids)
            for cid, location in found.items():
                self._pack.holds.touch(held, cid.multihash, location.position)
        return {cid: location.length for cid, location in found.items()}

    def hold(self) -> Hold:
        self._pack.check_open()
        return PackHold(self, self._pack)

    @contextmanager
    def collecting(self) -> Iterator[Collection]:
        # With what it brings it is a tenth of the store, and few commands collect.
        from peershelf.blockstore.store.pack.collection import PackCollection

        with self._pack.writing():
            with_room(self._pack.reserve, self._pack.log.flush)
            start = self._pack.log.position
            if not self._pack.holds.begin_collection(start):
                raise AlreadyCollecting("a garbage collection is under way already")
        try:
            yield PackCollection(self._pack, start, self._segment_size)
        finally:
            self._pack.holds.end_collection()

    def get(self, cid: Cid) -> bytes:
        key = cid.multihash
        location = self._pack.locate(key)
        while location is not None:
            data = self._pack.read(location)
            if data is not None and multihash.matches(key, data):
                return data
            # A sound copy may have taken the place of a damaged one in the meantime, or the record was moved.
            latest = self._pack.locate(key)
            if latest == location:
                self._pack.check_row(key, location)
                raise CorruptBlock(f"block {cid} is damaged on disk")
            location = latest
        raise BlockNotFound(f"block {cid} is not in the store")

    def get_unhashed(self, cid: Cid) -> bytes | memoryview:
        key = cid.multihash
        location = self._pack.locate(key)
        data = None if location is None else self._pack.read_record(key, location)
        # Whatever is wrong, get() finds out.
        return self.get(cid) if data is None else data

    def has(self, cid: Cid) -> bool:
        return self._pack.locate(cid.multihash) is not None

    def size(self, cid: Cid) -> int | None:
        location = self._pack.locate(cid.multihash)
        return None if location is None else location.length

    def sizes(self, cids: Iterable[Cid]) -> dict[Cid, int]:
        return {cid: location.length for cid, location in self._locate_all(cids).items()}

    def _locate_all(self, cids: Iterable[Cid]) -> dict[Cid, Location]:
        keys = {cid: cid.multihash for cid in cids}
        located = self._pack.locate_many(keys.values())
        return {cid: location for cid, key in keys.items() if (location := located[key]) is not None}

    def delete_many(self, cids: Iterable[Cid]) -> int:
        keys = dict.fromkeys(cid.multihash for cid in cids)
        with self._pack.writing():
            entries = [Entry(Kind.TOMBSTONE, key) for key in keys if self._pack.locate(key) is not None]
            self.with_room(lambda: self._pack.log.append(entries))
            self.with_room(self._pack.log.flush)
        return len(entries)

    def drop_damaged(self, cids: Iterable[Cid]) -> list[Cid]:
        dropped: list[Cid] = []
        for cid in cids:
            # One at a time, since a block is read under the lock: nobody may heal it in between.
            with self._pack.writing():
                location = self._pack.locate(cid.multihash)
                data = None if location is None else self._pack.read(location)
                if location is not None and (data is None or not multihash.matches(cid.multihash, data)):
                    tombstone = Entry(Kind.TOMBSTONE, cid.multihash)
                    self.with_room(partial(self._pack.log.append, [tombstone]))
                    dropped.append(cid)
        self.sync()
        return dropped

    def multihashes(self) -> Iterator[bytes]:
        self._pack.check_open()
        return self._pack.keys()

    def stats(self) -> StoreStats:
        self._pack.check_open()
        blocks, payload_size = self._pack.index.totals(dict(self._pack.log.pending))
        directory = self._pack.directory
        return StoreStats(blocks, payload_size, segments_size(directory) + index_size(directory))

    @property
    def losses(self) -> int:
        return self._pack.log.losses

    def sync(self, *, losses: int | None = None) -> None:
        with self._pack.writing():
            # Not with_room: what could not be written is lost, and room would not bring it back.
            self._pack.log.wait()
            # What may be left to do is to index what was written, which takes little.
            self.with_room(self._pack.log.settle)
            if losses is not None and self._pack.log.losses != losses:
                raise StoreError("a sync of the store failed meanwhile: try again")

    def with_room(self, action: Callable[[], T]) -> T:
        return with_room(self._pack.reserve, action)

    def close(self) -> None:
        pack = self._pack
        with pack.writing(even_closed=True), ExitStack() as closing:
            if pack.closed:
                return
            pack.closed = True
            closing.callback(self._directory_lock.release)
            closing.callback(pack.files.close)
            closing.callback(pack.index.close)
            closing.callback(pack.log.close)
            pack.log.sync()
            # Where there is no space, the next opening reads again what is durable and not in the index.
            with suppress(StoreFull):
                self.with_room(pack.log.flush)
            pack.reserve.renew(segments_size(pack.directory))
