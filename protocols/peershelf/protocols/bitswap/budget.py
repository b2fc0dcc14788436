"""How much of the memory that messages from strangers take each stranger may have.

A message is charged with the length it announces, before its body is read. A peer over its own share waits,
which costs nobody but that peer. When all peers together are over theirs, whoever has most gives up the
message that has made no progress for longest: announcing messages and stalling takes no memory from others.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable

import trio

from peershelf.protocols.resources import greatest
from peershelf.protocols.transport import PeerId


class Ticket:
    """Memory granted to one message; release() gives it back, once or more often."""

    def __init__(self, budget: InboundBudget, peer: PeerId, size: int, give_up: Callable[[], None]) -> None:
        self._budget = budget
        self.peer = peer
        self.size = size
        self.give_up = give_up
        self._held = True

    def progress(self) -> None:
        """More of the message has arrived."""
        self._budget.progress(self)

    def taken(self) -> None:
        """All of the message is here, and read: it can no longer be given up."""
        self._budget.taken(self)

    def release(self) -> None:
        """The message takes no memory any more."""
        if self._held:
            self._held = False
            self._budget.release(self)


class InboundBudget:
    """Bounds what messages may take for each peer and in all, in bytes."""

    def __init__(self, per_peer: int, total: int) -> None:
        self._per_peer = per_peer
        self._total = total
        self._used: Counter[PeerId] = Counter()
        self._arriving: OrderedDict[Ticket, None] = OrderedDict()
        self._waiting: dict[PeerId, trio.lowlevel.ParkingLot] = {}

    @property
    def used(self) -> int:
        """Bytes granted at present."""
        return self._used.total()

    def most(self) -> tuple[str, int]:
        """Return who has most of them, and how much; "" while nobody has any."""
        return greatest(self._used.items())

    def has_room(self, peer: PeerId, size: int) -> bool:
        """Whether the peer may have `size` bytes more without waiting."""
        return not self._used[peer] or self._used[peer] + size <= self._per_peer

    async def admit(self, peer: PeerId, size: int, give_up: Callable[[], None]) -> Ticket:
        """Wait until the peer may have `size` bytes more. `give_up` is called if they are needed back."""
        while not self.has_room(peer, size):
            await self._waiting.setdefault(peer, trio.lowlevel.ParkingLot()).park()
        ticket = Ticket(self, peer, size, give_up)
        self._used[peer] += size
        while self.used > self._total and self._arriving:
            victim = self._victim()
            victim.give_up()
            victim.release()
        self._arriving[ticket] = None
        return ticket

    def progress(self, ticket: Ticket) -> None:
        """More of a message has arrived: others are given up before it."""
        if ticket in self._arriving:
            self._arriving.move_to_end(ticket)

    def taken(self, ticket: Ticket) -> None:
        """A message is here as a whole: it can no longer be given up."""
        self._arriving.pop(ticket, None)

    def release(self, ticket: Ticket) -> None:
        """A message takes no memory any more: let those go on that wait for it."""
        self._arriving.pop(ticket, None)
        self._used[ticket.peer] -= ticket.size
        if not self._used[ticket.peer]:
            del self._used[ticket.peer]
        lot = self._waiting.pop(ticket.peer, None)
        if lot is not None:
            lot.unpark_all()

    def _victim(self) -> Ticket:
        # Of several that have the same, the first is the one that has waited longest.
        return max(self._arriving, key=lambda ticket: self._used[ticket.peer])
