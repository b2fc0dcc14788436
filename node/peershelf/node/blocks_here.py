"""Blocks of a repo without a node: from its store, or not at all."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable, Sequence
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
from peershelf.node.store_reading import Batch, nobody_was_asked, read_batch


class BlocksHere:
    """Is a BlockSource; no denylist is in force.

    What is missing or damaged raises LeftToNode, since a node may get it from a peer. Where `alone`, none
    comes after this, and it is told of as by one that meets nobody.
    """

    def __init__(self, store: Blockstore, blocking: Blocking, *, alone: bool = False) -> None:
        self.store = store
        self.denylists = Denylists()
        self.blocking = blocking
        self.open_fetchers = 0
        self._alone = alone

    async def check(self, *references: Cid | str) -> None:
        """Nothing is forbidden."""

    async def get(self, cid: Cid, *, offline: bool = False, timeout: float = math.inf) -> Block:
        batch = await self.blocking.run(read_batch, self.store, self.denylists, [cid])
        return self._found(batch, offline=offline).only()

    @asynccontextmanager
    async def fetcher(
        self, *roots: Cid, offline: bool = False, timeout: float = math.inf
    ) -> AsyncIterator[FetcherHere]:
        """Open a pipeline of blocks. Nobody else has the repo, so nothing is collected meanwhile."""
        self.open_fetchers += 1
        try:
            with closing(ReaderThreads(partial(read_batch, self.store, self.denylists))) as readers:
                yield FetcherHere(readers, self.blocking, partial(self._found, offline=offline))
        finally:
            self.open_fetchers -= 1

    def _found(self, batch: Batch, *, offline: bool) -> Found:
        if batch.absent and not self._alone:
            raise LeftToNode
        return Found(batch.blocks, nobody_was_asked(batch.absent, offline=offline))


class FetcherHere:
    """Is a Pipeline."""

    asks_peers = False

    def __init__(self, readers: ReaderThreads, blocking: Blocking, judge: Callable[[Batch], Found]) -> None:
        """`judge` tells what has come of a batch."""
        self._readers = readers
        self._blocking = blocking
        self._judge = judge

    def want(self, cids: Sequence[Cid], absent: Sequence[Cid] = ()) -> None:
        # What is known to be absent is said by whoever looks for it in the store.
        self._readers.want([*cids, *absent] if absent else cids)

    async def receive(self) -> Found:
        return self._judge(await self._blocking.wait(self._readers.receive))

    async def get(self, cid: Cid) -> Block:
        self.want([cid])
        return (await self.receive()).only()
