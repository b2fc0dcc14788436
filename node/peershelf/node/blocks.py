"""Blocks by CID: from the local store first, from peers where it has none."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import trio

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.gc.roots import TemporaryRoots
from peershelf.blockstore.store.base import Blockstore
from peershelf.node.denylists.denylists import Denylists
from peershelf.node.errors import TimedOut
from peershelf.node.fetcher import READERS, Fetcher
from peershelf.node.in_threads import InThreads
from peershelf.node.tasks import single_error

if TYPE_CHECKING:
    from peershelf.node.blocking import Blocking
    from peershelf.node.searching import ProviderSearch
    from peershelf.protocols.bitswap import Bitswap

GoOnline = Callable[[], Awaitable[tuple["Bitswap", "ProviderSearch | None"]]]
"""Starts the network services."""


class Blocks:
    """Is a BlockSource: the local store, and behind it the exchange if the node is online."""

    def __init__(
        self,
        store: Blockstore,
        exchange: Bitswap | None,
        search: ProviderSearch | None = None,
        *,
        go_online: GoOnline | None = None,
        denylists: Denylists | None = None,
    ) -> None:
        """`go_online` is called where there is no exchange yet, once the first block is missing."""
        self.store = store
        self.denylists = denylists or Denylists()
        self.blocking: Blocking = InThreads()
        self._search = search
        self._go_online = go_online
        self._going_online = trio.Lock()
        self.roots = TemporaryRoots()
        """What is being read now."""
        self._exchange = exchange
        self.open_fetchers = 0
        """How many pipelines share the memory there is for blocks on their way."""

    async def check(self, *references: Cid | str) -> None:
        """Raise ContentBlocked if a denylist names one of these: CIDs, or text such as CID/path."""
        if self.denylists.is_active:
            await trio.to_thread.run_sync(self.denylists.check, references)

    async def get(self, cid: Cid, *, offline: bool = False, timeout: float = math.inf) -> Block:
        """Return a block. Raises ContentBlocked, BlockNotFound where no peer may be asked, else TimedOut."""
        async with self.fetcher(cid, offline=offline, timeout=timeout, readers=1) as fetcher:
            return await fetcher.get(cid)

    @asynccontextmanager
    async def fetcher(
        self, *roots: Cid, offline: bool = False, timeout: float = math.inf, readers: int = READERS
    ) -> AsyncIterator[Fetcher]:
        """Open a pipeline of blocks. All that is still wanted at its end is withdrawn from peers.

        What is here of the DAGs below `roots` is not collected as garbage before the end. The store is read
        by so many `readers` side by side.

        Raises TimedOut from its block if that takes longer than `timeout` seconds.
        """
        peers = None if offline else self.peers
        with (
            self.roots.protect(*roots),
            self._counted(),
            single_error(),
            trio.move_on_after(timeout) as scope,
        ):
            async with trio.open_nursery() as nursery:
                fetcher = Fetcher(self.store, peers, nursery, self.denylists)
                for _ in range(readers):
                    nursery.start_soon(fetcher.read_local)
                yield fetcher
                nursery.cancel_scope.cancel()
        if scope.cancelled_caught:
            raise TimedOut(fetcher.explain(timeout), fetcher.details())

    async def peers(self) -> tuple[Bitswap | None, ProviderSearch | None]:
        """Whom to ask for what is not here, and who finds more of them. Raises NetworkError."""
        async with self._going_online:
            if self._exchange is None and self._go_online is not None:
                self._exchange, self._search = await self._go_online()
        return self._exchange, self._search

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self.open_fetchers += 1
        try:
            yield
        finally:
            self.open_fetchers -= 1
