"""Blocks on their way from messages into the store: a queue, and a worker that hashes and stores batches.

Batches form by themselves: while one is in its thread, the streams go on reading, and whatever has arrived by
then makes up the next one. The queue is bounded because every message in it holds a ticket of the budget.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

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


class Intake:
    """Verifies and stores blocks that were expected, and reports everything that came."""

    def __init__(
        self,
        store: Blockstore,
        offload: Offload,
        *,
        expected: Callable[[PeerId], frozenset[bytes]],
        arrived: Callable[[Sequence[Arrival]], None],
        failed: Callable[[BlockstoreError], None],
    ) -> None:
        self._store = store
        self._offload = offload
        self._expected = expected
        self._report = arrived
        self._failed = failed
        self._queue: deque[tuple[PeerId, Sequence[Payload], Ticket]] = deque()
        self._more = Wakeup()

    def put(self, peer: PeerId, payloads: Sequence[Payload], ticket: Ticket) -> None:
        """Take the blocks of a message; the ticket is released when they have been dealt with."""
        self._queue.append((peer, payloads, ticket))
        self._more.set()

    async def run(self) -> None:
        """Deal with what arrives, for ever."""
        while True:
            await self._more.wait()
            while self._queue:
                await self._take_in()

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
        return parcels, tickets
