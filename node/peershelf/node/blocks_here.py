"""Blocks of a repo without a node: from its store, or not at all."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from functools import partial

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.store.base import Blockstore
from peershelf.node.blocking import Blocking
from peershelf.node.denylists.denylists import Denylists
from peershelf.node.errors import LeftToNode
from peershelf.node.pipeline import Found
from peershelf.node.reader_threads import ReaderThreads
from peershelf.node.store_reading import Batch, read_batch


class BlocksHere:
    """Is a BlockSource. What is missing or damaged raises LeftToNode; no denylist is in force."""

    def __init__(self, store: Blockstore, blocking: Blocking) -> None:
        self.store = store
        self.denylists = Denylists()
        self.blocking = blocking
        self.open_fetchers = 0

    async def check(self, *references: Cid | str) -> None:
        """Nothing is forbidden."""

    async def get(self, cid: Cid, *, offline: bool = False, timeout: float = math.inf) -> Block:
        batch = await self.blocking.run(read_batch, self.store, self.denylists, [cid])
        return _all_of(batch)[0]

    @asynccontextmanager
    async def fetcher(
        self, *roots: Cid, offline: bool = False, timeout: float = math.inf
    ) -> AsyncIterator[FetcherHere]:
        """Open a pipeline of blocks. Nobody else has the repo, so nothing is collected meanwhile."""
        self.open_fetchers += 1
        try:
            with closing(ReaderThreads(partial(read_batch, self.store, self.denylists))) as readers:
                yield FetcherHere(readers, self.blocking)
        finally:
            self.open_fetchers -= 1


class FetcherHere:
    """Is a Pipeline."""

    asks_peers = False

    def __init__(self, readers: ReaderThreads, blocking: Blocking) -> None:
        self._readers = readers
        self._blocking = blocking

    def want(self, cids: Sequence[Cid], absent: Sequence[Cid] = ()) -> None:
        if absent:
            raise LeftToNode
        self._readers.want(cids)

    async def receive(self) -> Found:
        return Found(_all_of(await self._blocking.wait(self._readers.receive)))

    async def get(self, cid: Cid) -> Block:
        self.want([cid])
        return (await self.receive()).blocks[0]


def _all_of(batch: Batch) -> list[Block]:
    if batch.absent or batch.refused:
        raise LeftToNode
    return batch.blocks
