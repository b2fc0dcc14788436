"""Blocks on their way from messages into the store: hashed in one worker, stored in the next.

Batches form by themselves: while one is in its thread, whatever arrives, or is hashed, makes up the next.
Hashing wants a core and storing waits for a disk, so large blocks are hashed while those before them are
written. For small ones a second hop to a thread would cost more than it gains. The queues are bounded because
every message in them holds a ticket of the budget.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

import trio

from peershelf.blockstore.errors import BlockstoreError
from peershelf.blockstore.store.base import Blockstore
from peershelf.protocols.bitswap.budget import Ticket
from peershelf.protocols.bitswap.messages import Payload
from peershelf.protocols.bitswap.verify import Arrival, check, store_what_was_expected
from peershelf.protocols.bitswap.wakeup import Wakeup
from peershelf.protocols.offload import Offload
from peershelf.protocols.pacing.metered import timed
from peershelf.protocols.pacing.turns import in_parts
from peershelf.protocols.transport import PeerId

_HASHED_AT_ONCE = 2 * 1024 * 1024
_STORED_AT_ONCE = 8 * 1024 * 1024
"""Bytes of messages that one hop to a thread takes along."""
_REPORTED_AT_ONCE = 256
"""Blocks; telling of more would keep others waiting."""
_SMALL = 128 * 1024
"""Bytes up to which one hop does both."""


class _Sized(Protocol):
    @property
    def size(self) -> int: ...


_SizedT = TypeVar("_SizedT", bound=_Sized)


@dataclass(frozen=True, slots=True)
class _Arrived:
    """The blocks of one message, which holds its ticket until they are stored."""

    peer: PeerId
    payloads: Sequence[Payload]
    ticket: Ticket

    @property
    def size(self) -> int:
        return self.ticket.size


@dataclass(frozen=True, slots=True)
class _Checked:
    """What came in some messages, which hold their tickets until it is stored."""

    arrivals: Sequence[Arrival]
    tickets: Sequence[Ticket]
    seconds: float
    """CPU time that hashing has taken."""

    @property
    def size(self) -> int:
        return sum(ticket.size for ticket in self.tickets)


class Intake:
    """Verifies and stores blocks that were expected, and reports everything that came."""

    def __init__(
        self,
        store: Blockstore,
        offload: Offload,
        *,
        expected: Callable[[PeerId], frozenset[bytes]],
        arrived: Callable[[Sequence[Arrival], float], None],
        failed: Callable[[BlockstoreError, Sequence[PeerId]], None],
        cpu: Callable[[], float],
    ) -> None:
        """Make one.

        Args:
            arrived: is told what came, and how many seconds of CPU it has taken.
            failed: is told who sent the blocks that could not be stored, once for each.
            cpu: returns the seconds of CPU that the calling thread has used.
        """
        self._store = store
        self._offload = offload
        self._expected = expected
        self._report = arrived
        self._failed = failed
        self._cpu = cpu
        self._queue: deque[_Arrived] = deque()
        self._checked: deque[_Checked] = deque()
        self._some_arrived = Wakeup()
        self._some_checked = Wakeup()

    def put(self, peer: PeerId, payloads: Sequence[Payload], ticket: Ticket) -> None:
        """Take the blocks of a message; the ticket is released when they have been dealt with."""
        self._queue.append(_Arrived(peer, payloads, ticket))
        self._some_arrived.set()

    async def run(self) -> None:
        """Deal with what arrives, for ever."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._check_all)
            nursery.start_soon(self._store_all)

    async def _check_all(self) -> None:
        while True:
            await self._some_arrived.wait()
            while self._queue:
                await self._check_some()

    async def _check_some(self) -> None:
        messages = _take(self._queue, _HASHED_AT_ONCE)
        parcels = [(message.peer, payload) for message in messages for payload in message.payloads]
        tickets = [message.ticket for message in messages]
        expected = {peer: self._expected(peer) for peer in dict.fromkeys(peer for peer, _ in parcels)}
        if sum(ticket.size for ticket in tickets) <= _SMALL and not self._checked:
            work = partial(_check_and_store, self._store, parcels, expected)
            await self._deal_with(tickets, [peer for peer, _ in parcels], work)
            return
        arrivals, seconds = await self._offload(timed(partial(check, parcels, expected), self._cpu))
        self._checked.append(_Checked(arrivals, tickets, seconds))
        self._some_checked.set()

    async def _store_all(self) -> None:
        while True:
            await self._some_checked.wait()
            while self._checked:
                await self._store_some()

    async def _store_some(self) -> None:
        batch = _take(self._checked, _STORED_AT_ONCE)
        arrivals = [arrival for checked in batch for arrival in checked.arrivals]
        tickets = [ticket for checked in batch for ticket in checked.tickets]
        senders = [arrival.peer for arrival in arrivals]
        hashed = sum(checked.seconds for checked in batch)
        await self._deal_with(tickets, senders, partial(_store, self._store, arrivals), hashed)

    async def _deal_with(
        self,
        tickets: Sequence[Ticket],
        senders: Sequence[PeerId],
        work: Callable[[], Sequence[Arrival]],
        hashed: float = 0.0,
    ) -> None:
        try:
            arrivals, seconds = await self._offload(timed(work, self._cpu))
        except BlockstoreError as error:
            self._failed(error, senders)
        else:
            await self._report_all(arrivals, hashed + seconds)
        finally:
            for ticket in tickets:
                ticket.release()

    async def _report_all(self, arrivals: Sequence[Arrival], seconds: float) -> None:
        def report(some: Sequence[Arrival]) -> None:
            self._report(some, seconds * len(some) / len(arrivals))

        for _ in in_parts(arrivals, _REPORTED_AT_ONCE, report):
            await trio.lowlevel.checkpoint()


def _take(queue: deque[_SizedT], most: int) -> list[_SizedT]:
    """Remove and return what is at the front, until that is `most` bytes or more."""
    taken: list[_SizedT] = []
    size = 0
    while queue and size < most:
        taken.append(queue.popleft())
        size += taken[-1].size
    return taken


def _store(store: Blockstore, arrivals: Sequence[Arrival]) -> Sequence[Arrival]:
    store_what_was_expected(store, arrivals)
    return arrivals


def _check_and_store(
    store: Blockstore,
    parcels: Sequence[tuple[PeerId, Payload]],
    expected: Mapping[PeerId, frozenset[bytes]],
) -> Sequence[Arrival]:
    return _store(store, check(parcels, expected))
