"""How the work that peers' messages make is shared out in time: in steps, and to each peer only its share.

All of a node's protocols run in one thread, so whatever one message takes at once, everybody else waits for.
Work on messages is therefore done in steps, with a chance for others after each. One peer's messages take
turns, however many streams they come on, so that between two steps of others there is at most one of its own.
The CPU time of its steps is added up: the next message of a peer that has had more than its share waits until
that is paid, which costs nobody but the peer. Who breaks the protocol pays extra.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar

import trio

from peershelf.protocols.pacing.crowd import Crowd, Neighbourhood
from peershelf.protocols.pacing.debts import Debts
from peershelf.protocols.pacing.limits import TimeLimits
from peershelf.protocols.pacing.metered import Metered, timed
from peershelf.protocols.transport import PeerId

_T = TypeVar("_T")


class Pacing:
    """The turns and the debts of all peers.

    Args:
        cpu: returns the seconds of CPU that this thread has used.
        neighbourhood: returns what a peer shares with others that may be the same person.
    """

    def __init__(
        self,
        limits: TimeLimits,
        cpu: Callable[[], float],
        neighbourhood: Neighbourhood = lambda peer: peer,
    ) -> None:
        self._limits = limits
        self._cpu = cpu
        self._crowd = Crowd(limits, neighbourhood)
        self._paces: dict[PeerId, Pace] = {}
        self._debts = Debts(share=limits.share, ahead=limits.ahead)
        self._charged = 0.0

    @asynccontextmanager
    async def turn(self, peer: PeerId) -> AsyncIterator[Pace]:
        """Wait until no other message of the peer is being worked on, and the peer need not rest."""
        pace = self._paces.setdefault(peer, Pace(self, peer, self._limits.turn))
        pace.users += 1
        try:
            async with pace.lock:
                await self.rest(peer)
                yield pace
        finally:
            pace.users -= 1
            if not pace.users:
                del self._paces[peer]

    async def admit(self, peer: PeerId) -> None:
        """Wait until it is the peer's turn among all."""
        await self._crowd.admit(peer)

    @property
    def cpu(self) -> Callable[[], float]:
        """Returns the seconds of CPU that the calling thread has used."""
        return self._cpu

    def charge(self, peer: PeerId, seconds: float) -> None:
        """The peer has cost so much CPU time."""
        self._charged += seconds
        self._crowd.charge(peer, seconds)
        self._debts.charge(peer, seconds, trio.current_time())

    def metered(self, peer: PeerId, work: Coroutine[Any, Any, _T]) -> Awaitable[_T]:
        """Return what awaits `work`, and charges all the time that it takes between its waits.

        For work that has so many waits that they cost more than the steps between them.
        """
        return Metered(work, partial(self._meter, peer))

    def _meter(self, peer: PeerId, run: Callable[[], object]) -> object:
        began, charged = self._cpu(), self._charged
        try:
            return run()
        finally:
            # Steps on the way have been charged already.
            self.charge(peer, max(0.0, self._cpu() - began - (self._charged - charged)))

    def punish(self, peer: PeerId) -> None:
        """The peer has broken the protocol, which is not free even where it took no time to see."""
        self._debts.charge(peer, self._limits.broken, trio.current_time())
        self._crowd.blame(peer, self._limits.broken)

    async def rest(self, peer: PeerId) -> None:
        """Wait for as long as the peer owes more than it may."""
        if rest := self._debts.rest(peer, trio.current_time()):
            await trio.sleep(rest)


class Pace:
    """One peer's turn; it exists while the peer has one or waits for one."""

    def __init__(self, pacing: Pacing, peer: PeerId, turn: float) -> None:
        self._pacing = pacing
        self._peer = peer
        self._turn = turn
        self._left = 0.0
        self.lock = trio.Lock()
        self.users = 0

    async def through(self, steps: Iterator[None]) -> None:
        """Go through the steps, as many in a turn as fit. Raises what they raise."""
        while True:
            if self._left <= 0:
                await self._pacing.admit(self._peer)
                self._left = self._turn
            if not self.do(partial(_has_more, steps)):
                return
            await trio.lowlevel.checkpoint()

    def do(self, work: Callable[[], _T]) -> _T:
        """Do something short, and charge it. Raises what it raises."""
        began = self._pacing.cpu()
        try:
            return work()
        finally:
            self.charge(self._pacing.cpu() - began)

    def timed(self, work: Callable[[], _T]) -> Callable[[], tuple[_T, float]]:
        """Return what does some work in any thread, and returns with its result the seconds to charge."""
        return timed(work, self._pacing.cpu)

    def charge(self, seconds: float) -> None:
        """The peer has cost so much CPU time."""
        self._left -= seconds
        self._pacing.charge(self._peer, seconds)


def _has_more(steps: Iterator[None]) -> bool:
    """Take one step, and return whether there are more."""
    return next(steps, _END) is not _END


def in_parts(items: Sequence[_T], size: int, work: Callable[[Sequence[_T]], object]) -> Iterator[None]:
    """Do `work` to something long, in steps of `size` items at most."""
    for start in range(0, len(items), size):
        if start:
            yield
        work(items[start : start + size])


_END = object()
