"""Blocks by CID: from the local store first, from peers where it has none.

Reading and hashing happen in threads, a batch to a hop, two batches at once. What peers send has been
verified and stored by the exchange before it arrives here.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import trio

from peershelf.blockstore.block import Block, inline_bytes
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import BlockNotFound, CorruptBlock
from peershelf.blockstore.store.base import Blockstore
from peershelf.node.errors import TimedOut
from peershelf.node.tasks import single_error

if TYPE_CHECKING:
    from peershelf.protocols.bitswap import Answer, Bitswap, Session
    from peershelf.protocols.transport import PeerId

_READERS = 2
_BATCH = 8
_MOST_PEERS_NAMED = 5
_HOW_TO_ASK = ": use `node daemon`, or cat --peer ADDR"


class Blocks:
    """The local store, and behind it the exchange if the node is online."""

    def __init__(self, store: Blockstore, exchange: Bitswap | None) -> None:
        self.store = store
        self._exchange = exchange
        self.open_fetchers = 0
        """How many pipelines share the memory there is for blocks on their way."""

    async def get(self, cid: Cid, *, offline: bool = False, timeout: float = math.inf) -> Block:
        """Return one block. Raises BlockNotFound where no peer may be asked, else TimedOut."""
        async with self.fetcher(offline=offline, timeout=timeout) as fetcher:
            fetcher.want([cid])
            return (await fetcher.receive())[0]

    @asynccontextmanager
    async def fetcher(self, *, offline: bool = False, timeout: float = math.inf) -> AsyncIterator[Fetcher]:
        """Open a pipeline of blocks. All that is still wanted at its end is withdrawn from peers.

        Raises TimedOut from its block if that takes longer than `timeout` seconds.
        """
        exchange = None if offline else self._exchange
        with self._counted(), single_error(), trio.move_on_after(timeout) as scope:
            async with trio.open_nursery() as nursery:
                fetcher = Fetcher(self.store, exchange, nursery)
                for _ in range(_READERS):
                    nursery.start_soon(fetcher.read_local)
                yield fetcher
                nursery.cancel_scope.cancel()
        if scope.cancelled_caught:
            raise TimedOut(fetcher.explain(timeout))

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self.open_fetchers += 1
        try:
            yield
        finally:
            self.open_fetchers -= 1


class Fetcher:
    """Wants go in, blocks come out in the order in which they are found.

    The caller bounds what is in flight by what it wants before it receives.
    """

    def __init__(self, store: Blockstore, exchange: Bitswap | None, nursery: trio.Nursery) -> None:
        self._store = store
        self._exchange = exchange
        self._nursery = nursery
        self._session: Session | None = None
        self._session_opening = trio.Lock()
        self._more_asked = trio.Event()
        self._wants_in, self._wants_out = trio.open_memory_channel[Sequence[Cid]](math.inf)
        self._found_in, self._found_out = trio.open_memory_channel[list[Block]](math.inf)
        self._awaited: dict[Cid, None] = {}

    def want(self, cids: Sequence[Cid]) -> None:
        """Ask for blocks; each call's answers come through receive()."""
        self._awaited.update(dict.fromkeys(cids))
        for start in range(0, len(cids), _BATCH):
            self._wants_in.send_nowait(cids[start : start + _BATCH])

    async def receive(self) -> list[Block]:
        """Return the next blocks found, one or more. Raises BlockNotFound, CorruptBlock, StoreError."""
        blocks = await self._found_out.receive()
        for block in blocks:
            self._awaited.pop(block.cid, None)
        return blocks

    def explain(self, timeout: float) -> str:
        """Say for what this waited in vain, and which peers were asked."""
        if not self._awaited:
            return f"not finished after {timeout:g} s; try again, or give it a longer --timeout"
        cid = next(iter(self._awaited))
        answers = self._exchange.asked_peers([cid])[cid] if self._exchange else {}
        return f"{cid} did not arrive within {timeout:g} s: {_explain_answers(answers)}"

    async def read_local(self) -> None:
        """Serve wants from the store; hand on to the exchange what it does not have."""
        async for cids in self._wants_out:
            found, missing = await trio.to_thread.run_sync(self._read_batch, cids)
            if found:
                self._found_in.send_nowait(found)
            if missing:
                await self._ask_peers(missing)

    def _read_batch(self, cids: Sequence[Cid]) -> tuple[list[Block], list[Cid]]:
        found: list[Block] = []
        missing: list[Cid] = []
        for cid in cids:
            try:
                data = inline_bytes(cid)
                found.append(Block(cid, self._store.get(cid) if data is None else data))
            except (BlockNotFound, CorruptBlock) as error:
                # A damaged copy is as good as none where a peer may have a sound one.
                if self._exchange is None:
                    raise type(error)(f"{error}, and no peer was asked{_HOW_TO_ASK}") from None
                missing.append(cid)
        return found, missing

    async def _ask_peers(self, cids: list[Cid]) -> None:
        async with self._session_opening:
            if self._session is None:
                self._session = await self._nursery.start(self._receive_from_peers)
        assert self._session is not None
        self._session.want(cids)
        self._more_asked.set()

    async def _receive_from_peers(self, *, task_status: trio.TaskStatus[Session]) -> None:
        assert self._exchange is not None
        async with self._exchange.session() as session:
            task_status.started(session)
            while True:
                async for block in session:
                    self._found_in.send_nowait([block])
                # The session has nothing left to wait for until more is asked.
                await self._more_asked.wait()
                self._more_asked = trio.Event()


def _explain_answers(answers: Mapping[PeerId, Answer]) -> str:
    if not answers:
        return "no peer was there to ask; connect to one with `node swarm connect ADDR`"
    shown = [f"{peer} {answer}" for peer, answer in list(answers.items())[:_MOST_PEERS_NAMED]]
    more = len(answers) - len(shown)
    return ", ".join(shown) + (f", and {more} more were asked" if more else "")
