"""A block store in memory: for tests, and as the plainest example of the interface."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator

from peershelf.blockstore import multihash
from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import BlockNotFound, CorruptBlock, StoreClosed
from peershelf.blockstore.store.base import Blockstore, StoreStats


class MemoryStore(Blockstore):
    """Blocks in a dictionary; "durable" means nothing here."""

    def __init__(self) -> None:
        self._blocks: dict[bytes, bytes] = {}
        self._lock = threading.Lock()
        self._closed = False

    def put_many(self, blocks: Iterable[Block], *, durable: bool = True) -> None:
        for block in blocks:
            with self._lock:
                self._check_open()
                self._blocks[block.cid.multihash] = bytes(block.data)

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

    def delete_many(self, cids: Iterable[Cid]) -> int:
        with self._lock:
            self._check_open()
            return sum(self._blocks.pop(cid.multihash, None) is not None for cid in cids)

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
