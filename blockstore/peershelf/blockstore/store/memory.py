"""A block store in memory: for tests, and as the plainest example of the interface."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from peershelf.blockstore import multihash
from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import AlreadyCollecting, BlockNotFound, CorruptBlock, StoreClosed
from peershelf.blockstore.store.base import Blockstore, Collection, Hold, StoreStats, Swept
from peershelf.blockstore.store.holds import HeldKeys, Holds
from peershelf.blockstore.store.live import LiveKeys


class MemoryStore(Blockstore):
    """Blocks in a dictionary; "durable" means nothing here."""

    def __init__(self) -> None:
        self._blocks: dict[bytes, bytes] = {}
        self._lock = threading.Lock()
        self._closed = False
        self._holds = Holds()

    def put_many(self, blocks: Iterable[Block], *, durable: bool = True) -> None:
        self.put_held(blocks, None)

    def put_held(self, blocks: Iterable[Block], held: HeldKeys | None) -> None:
        """Put blocks and enter them into a hold."""
        for block in blocks:
            with self._lock:
                self._check_open()
                self._blocks[block.cid.multihash] = bytes(block.data)
                self._holds.touch(held, block.cid.multihash)

    def keep(self, cids: Iterable[Cid], held: HeldKeys) -> dict[Cid, int]:
        """Enter blocks that are there into a hold; returns their lengths."""
        with self._lock:
            kept = self.sizes(cids)
            for cid in kept:
                self._holds.touch(held, cid.multihash)
            return kept

    def sweep_one(self, key: bytes, live: LiveKeys) -> int | None:
        """Remove a block unless it is live or held. Returns how many bytes it had, None if it stays."""
        with self._lock:
            self._check_open()
            if key not in self._blocks or key in live.keys or self._holds.in_force().protects(key):
                return None
            return len(self._blocks.pop(key))

    def get(self, cid: Cid) -> bytes:
        self._check_open()
        data = self._blocks.get(cid.multihash)
        if data is None:
            raise BlockNotFound(f"block {cid} is not in the store")
        if not multihash.matches(cid.multihash, data):
            raise CorruptBlock(f"block {cid} is damaged in memory")
        return data

    def has(self, cid: Cid) -> bool:
        self._check_open()
        return cid.multihash in self._blocks

    def size(self, cid: Cid) -> int | None:
        self._check_open()
        data = self._blocks.get(cid.multihash)
        return None if data is None else len(data)

    def sizes(self, cids: Iterable[Cid]) -> dict[Cid, int]:
        return {cid: size for cid in cids if (size := self.size(cid)) is not None}

    def delete_many(self, cids: Iterable[Cid]) -> int:
        with self._lock:
            self._check_open()
            return sum(self._blocks.pop(cid.multihash, None) is not None for cid in cids)

    def drop_damaged(self, cids: Iterable[Cid]) -> list[Cid]:
        with self._lock:
            self._check_open()
            wanted = [cid for cid in cids if cid.multihash in self._blocks]
            dropped = [
                cid for cid in wanted if not multihash.matches(cid.multihash, self._blocks[cid.multihash])
            ]
            for cid in dropped:
                self._blocks.pop(cid.multihash, None)
            return dropped

    def hold(self) -> Hold:
        self._check_open()
        return _MemoryHold(self, self._holds)

    @contextmanager
    def collecting(self) -> Iterator[Collection]:
        with self._lock:
            self._check_open()
            if not self._holds.begin_collection():
                raise AlreadyCollecting("a garbage collection is under way already")
        try:
            yield _MemoryCollection(self)
        finally:
            self._holds.end_collection()

    def multihashes(self) -> Iterator[bytes]:
        with self._lock:
            self._check_open()
            keys = list(self._blocks)
        return iter(keys)

    def stats(self) -> StoreStats:
        with self._lock:
            self._check_open()
            return StoreStats(len(self._blocks), sum(map(len, self._blocks.values())), 0)

    @property
    def losses(self) -> int:
        return 0

    def sync(self, *, losses: int | None = None) -> None:
        self._check_open()

    def close(self) -> None:
        self._closed = True

    def _check_open(self) -> None:
        if self._closed:
            raise StoreClosed("the block store is closed")


class _MemoryHold(Hold):
    def __init__(self, store: MemoryStore, holds: Holds) -> None:
        self._store = store
        self._holds = holds
        self._held = holds.open()

    def put_many(self, blocks: Iterable[Block], *, durable: bool = True) -> None:
        self._store.put_held(blocks, self._held)

    def keep(self, cids: Iterable[Cid]) -> dict[Cid, int]:
        return self._store.keep(cids, self._held)

    def close(self) -> None:
        self._holds.close(self._held)


class _MemoryCollection(Collection):
    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def sweep(self, live: LiveKeys, *, before_step: Callable[[], None] = lambda: None) -> Iterator[Swept]:
        for key in self._store.multihashes():
            before_step()
            if (size := self._store.sweep_one(key, live)) is not None:
                yield Swept((key,), size, 0)
