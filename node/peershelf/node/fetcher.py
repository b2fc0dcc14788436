"""A pipeline of blocks: wants go in, blocks come out, from the local store or else from peers.

Reading and hashing happen in threads, a batch to a hop, three batches at once. What peers send has been
verified and stored by the exchange before it arrives here.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import trio

from peershelf.blockstore.block import Block, inline_bytes
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import UnsupportedHash
from peershelf.blockstore.store.base import Blockstore
from peershelf.node.denylists.denylists import Denylists
from peershelf.node.pipeline import Found
from peershelf.node.store_reading import BATCH_BYTES, Batch, nobody_was_asked, read_batch, shares

if TYPE_CHECKING:
    from peershelf.node.searching import ProviderSearch, Searched
    from peershelf.protocols.bitswap import Answer, Bitswap, Session
    from peershelf.protocols.transport import PeerId

READERS = 3
"""Tasks that run read_local() for a pipeline: on two cores, one waits for the event loop while two hash."""
_FOUND_AHEAD = 2
"""Batches that wait for the reader."""
_INLINE_LOOKUPS = 32
"""Look-ups that cost less than a hop to a thread, where the hop can be saved."""
_FEW_LOOKUPS = 4
"""Look-ups that are worth it, too, where blocks that turn out to be here cost the hop nevertheless."""
_MOST_PEERS_NAMED = 5
_MOST_PEERS_TOLD = 100


class Fetcher:
    """Is a Pipeline: wants go in, blocks come out in the order in which they are found.

    The caller bounds what is in flight by what it wants before it receives.
    """

    def __init__(
        self,
        store: Blockstore,
        peers: Callable[[], Awaitable[tuple[Bitswap | None, ProviderSearch | None]]] | None,
        nursery: trio.Nursery,
        denylists: Denylists,
    ) -> None:
        """Without `peers`, what is not in the store cannot be had."""
        self._store = store
        self._denylists = denylists
        self._peers = peers
        self._exchange: Bitswap | None = None
        self._search: ProviderSearch | None = None
        self._changed = trio.Event()
        self._searched: Searched | None = None
        self._nursery = nursery
        self._session: Session | None = None
        self._session_opening = trio.Lock()
        self._more_asked = trio.Event()
        self._wants_in, self._wants_out = trio.open_memory_channel[Sequence[Cid]](math.inf)
        # Bounded, so that what a slow reader does not take waits where it is counted.
        self._found_in, self._found_out = trio.open_memory_channel[Found](_FOUND_AHEAD)
        self._awaited: dict[Cid, None] = {}

    @property
    def asks_peers(self) -> bool:
        """Whether something was not in the store, so that the rest probably is not either."""
        return self._session is not None

    def want(self, cids: Sequence[Cid], absent: Sequence[Cid] = ()) -> None:
        """Ask for blocks, and for some that the store does not have, as the caller has just seen.

        The answers come through receive().
        """
        self._awaited.update(dict.fromkeys((*cids, *absent)))
        self._something_changed()
        cids = [*self._ask_at_once(cids), *self._ask_peers_for(absent)]
        for share in shares(cids, READERS):
            self._wants_in.send_nowait(share)

    async def get(self, cid: Cid) -> Block:
        """Return one block, where nothing else is wanted. Raises what keeps it from being had."""
        self.want([cid])
        return (await self.receive()).only()

    def _ask_at_once(self, cids: Sequence[Cid]) -> Sequence[Cid]:
        """Ask peers for what is not in the store, if peers are being asked already; return the others.

        A few look-ups cost less than one hop to a thread, which would find out the same.
        """
        # Where there are denylists, all wants pass them, and that is in the thread.
        if self._session is None or len(cids) > _INLINE_LOOKUPS or self._denylists.is_active:
            return cids
        here = self._store.sizes(cids)
        return [*here, *self._ask_peers_for([cid for cid in cids if cid not in here])]

    def _ask_peers_for(self, absent: Sequence[Cid]) -> Sequence[Cid]:
        """Ask peers, if they are being asked already; return those that have to go the long way."""
        if self._session is None or not absent or self._denylists.is_active:
            return absent
        try:
            self._session.want(absent)
        except UnsupportedHash:
            return absent
        self._more_asked.set()
        return ()

    async def receive(self) -> Found:
        """Return what has come of one or more of the wants. Raises StoreError."""
        found = await self._found_out.receive()
        self._something_changed()
        for cid in (*(block.cid for block in found.blocks), *found.missing):
            self._awaited.pop(cid, None)
        return found

    def explain(self, timeout: float) -> str:
        """Say for what this waited in vain, and which peers were asked."""
        if not self._awaited:
            return f"not finished after {round(timeout, 1):g} s; try again, or give it a longer --timeout"
        said = [_explain_answers(self._answers()), *([str(self._searched)] if self._searched else [])]
        return f"{self.first()} did not arrive within {round(timeout, 1):g} s: {'; '.join(said)}"

    def details(self) -> tuple[str, ...]:
        """The same, step by step."""
        peers = [f"peer {peer}: {answer}" for peer, answer in self._answers().items()]
        return tuple(peers[:_MOST_PEERS_TOLD]) + (self._searched.steps() if self._searched else ())

    def _answers(self) -> Mapping[PeerId, Answer]:
        cid = self.first()
        return self._exchange.asked_peers([cid])[cid] if self._exchange and cid else {}

    async def read_local(self) -> None:
        """Serve wants from the store; hand on to the exchange what it does not have."""
        async for cids in self._wants_out:
            left = cids
            while left:
                batch = await self._look(left)
                left, absent = batch.left, batch.absent
                if absent and self._peers is not None:
                    self._exchange, self._search = await self._peers()
                if self._exchange is not None and absent:
                    await self._ask_peers(list(absent))
                    absent = {}
                if batch.blocks or absent or batch.refused:
                    missing = {**nobody_was_asked(absent, offline=self._peers is None), **batch.refused}
                    await self._found_in.send(Found(batch.blocks, missing))

    async def _look(self, cids: Sequence[Cid]) -> Batch:
        """Read the first of these blocks, in a thread unless a few look-ups say that none is here."""
        # Once peers are asked, a few were looked up before they came here.
        few = len(cids) <= _FEW_LOOKUPS and self._session is None and not self._denylists.is_active
        if few and all(inline_bytes(cid) is None for cid in cids) and not self._store.sizes(cids):
            return Batch([], dict.fromkeys(cids), {})
        return await trio.to_thread.run_sync(read_batch, self._store, self._denylists, cids)

    async def _ask_peers(self, cids: Sequence[Cid]) -> None:
        async with self._session_opening:
            if self._session is None:
                self._session = await self._nursery.start(self._receive_from_peers)
                if self._search is not None:
                    self._nursery.start_soon(self._search.keep_searching, self)
        assert self._session is not None
        # The reader may have ended meanwhile, and with it the session: then this task is to end too.
        await trio.lowlevel.checkpoint_if_cancelled()
        try:
            self._session.want(cids)
        except UnsupportedHash as error:
            if len(cids) == 1:
                await self._found_in.send(Found([], {cids[0]: error}))
                return
            for cid in cids:
                await self._ask_peers([cid])
        self._more_asked.set()

    def first(self) -> Cid | None:
        """What is waited for, to be searched for."""
        return next(iter(self._awaited), None)

    def searched(self, result: Searched) -> None:
        """Remember how the latest search for providers stands."""
        self._searched = result

    async def change(self) -> None:
        """Return when something has come, or something else is waited for."""
        await self._changed.wait()

    def _something_changed(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    async def _receive_from_peers(self, *, task_status: trio.TaskStatus[Session]) -> None:
        assert self._exchange is not None
        async with self._exchange.session() as session:
            task_status.started(session)
            while True:
                async for block in session:
                    await self._found_in.send(Found([block, *session.take_ready(BATCH_BYTES)]))
                # The session has nothing left to wait for until more is asked.
                await self._more_asked.wait()
                self._more_asked = trio.Event()


def _explain_answers(answers: Mapping[PeerId, Answer]) -> str:
    if not answers:
        return "no peer was there to ask; connect to one with `node swarm connect ADDR`"
    shown = [f"{peer} {answer}" for peer, answer in list(answers.items())[:_MOST_PEERS_NAMED]]
    more = len(answers) - len(shown)
    return ", ".join(shown) + (f", and {more} more were asked" if more else "")
