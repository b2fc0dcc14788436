"""Blocks on their way from messages into the store: a queue, and a worker that hashes and stores batches.

Batches form by themselves: while one is in its thread, the streams go on reading, and whatever has arrived by
then makes up the next one. On a quick line that would be one large block at a time, so there a batch waits a
moment for more, as long as enough is on order that nobody has to wait for it. The queue is bounded because
every message in it holds a ticket of the budget.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

import trio

from peershelf.blockstore.errors import BlockstoreError
from peershelf.blockstore.store.base import Blockstore
from peershelf.protocols.bitswap.budget import Ticket
from peershelf.protocols.bitswap.messages import Payload
from peershelf.protocols.bitswap.verify import Arrival, check_and_store
from peershelf.protocols.bitswap.wakeup import Wakeup
from peershelf.protocols.offload import Offload
from peershelf.protocols.transport import PeerId

_BATCH = 8 * 1024 * 1024
"""Bytes of messages that one hop to a thread takes along."""
_ENOUGH = 4 * 1024 * 1024
"""Bytes from which nothing more is waited for."""
_MOMENT = 0.02
"""Seconds to wait for more, at most."""
_WORTH_WAITING = 1024 * 1024
"""Bytes that must be about to come in that time."""


class Intake:
    """Verifies and stores blocks that were expected, and reports everything that came."""

    def __init__(
        self,
        store: Blockstore,
        offload: Offload,
        *,
        expected: Callable[[PeerId], frozenset[bytes]],
        coming: Callable[[float], float],
        arrived: Callable[[Sequence[Arrival]], None],
        failed: Callable[[BlockstoreError], None],
    ) -> None:
        """`coming` tells how many bytes of blocks come in so many seconds, before more is to be ordered."""
        self._store = store
        self._offload = offload
        self._expected = expected
        self._coming = coming
        self._report = arrived
        self._failed = failed
        self._queue: deque[tuple[PeerId, Sequence[Payload], Ticket]] = deque()
        self._waiting = 0
        self._more = Wakeup()
        self._target = 0.0
        self._reached = trio.Event()

    def put(self, peer: PeerId, payloads: Sequence[Payload], ticket: Ticket) -> None:
        """Take the blocks of a message; the ticket is released when they have been dealt with."""
        self._queue.append((peer, payloads, ticket))
        self._waiting += ticket.size
        self._more.set()
        if self._waiting >= self._target:
            self._reached.set()

    async def run(self) -> None:
        """Deal with what arrives, for ever."""
        while True:
            await self._more.wait()
            while self._queue:
                await self._wait_for_more()
                await self._take_in()

    async def _wait_for_more(self) -> None:
        coming = self._coming(_MOMENT)
        if self._waiting < _ENOUGH and coming >= _WORTH_WAITING:
            self._target = min(_ENOUGH, self._waiting + coming)
            self._reached = trio.Event()
            with trio.move_on_after(_MOMENT):
                await self._reached.wait()

    async def _take_in(self) -> None:
        parcels, tickets = self._next_batch()
        expected = {peer: self._expected(peer) for peer in dict.fromkeys(peer for peer, _ in parcels)}
        try:
            arrivals = await self._offload(partial(check_and_store, self._store, parcels, expected))
        except BlockstoreError as error:
            self._failed(error)
        else:
            self._report(arrivals)
        finally:
            for ticket in tickets:
                ticket.release()

    def _next_batch(self) -> tuple[list[tuple[PeerId, Payload]], list[Ticket]]:
        parcels: list[tuple[PeerId, Payload]] = []
        tickets: list[Ticket] = []
        size = 0
        while self._queue and size < _BATCH:
            peer, payloads, ticket = self._queue.popleft()
            parcels += [(peer, payload) for payload in payloads]
            tickets.append(ticket)
            size += ticket.size
        self._waiting -= size
        return parcels, tickets
