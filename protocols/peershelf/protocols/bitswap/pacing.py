"""How the work that peers' messages make is shared out in time: in steps, and to each peer only its share.

All of a node's protocols run in one thread, so whatever one message takes at once, everybody else waits for.
Work on messages is therefore done in steps, with a chance for others after each. One peer's messages take
turns, however many streams they come on, so that between two steps of others there is at most one of its own.
The CPU time of its steps is added up: the next message of a peer that has had more than its share waits until
that is paid, which costs nobody but the peer. Who breaks the protocol pays extra.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

import trio

from peershelf.protocols.bitswap.limits import BitswapLimits
from peershelf.protocols.transport import PeerId

_T = TypeVar("_T")
_MANY_DEBTS = 256
"""Peers after which those that have paid are looked for and forgotten."""


class Pacing:
    """The turns and the debts of all peers.

    Args:
        cpu: returns the seconds of CPU that this thread has used.
    """

    def __init__(self, limits: BitswapLimits, cpu: Callable[[], float]) -> None:
        self._limits = limits
        self._cpu = cpu
        self._paces: dict[PeerId, Pace] = {}
        self._paid_at: dict[PeerId, float] = {}

    @asynccontextmanager
    async def turn(self, peer: PeerId) -> AsyncIterator[Pace]:
        """Wait until no other message of the peer is being worked on, and the peer need not rest."""
        pace = self._paces.setdefault(peer, Pace(self, peer))
        pace.users += 1
        try:
            async with pace.lock:
                await self.rest(peer)
                yield pace
        finally:
            pace.users -= 1
            if not pace.users:
                del self._paces[peer]

    def step(self, peer: PeerId, steps: Iterator[None]) -> bool:
        """Take one step, which is charged, and return whether there are more. Raises what it raises."""
        began = self._cpu()
        try:
            return next(steps, _END) is not _END
        finally:
            self.charge(peer, self._cpu() - began)

    def charge(self, peer: PeerId, seconds: float) -> None:
        """The peer has cost so much CPU time."""
        now = trio.current_time()
        if len(self._paid_at) >= _MANY_DEBTS:
            self._paid_at = {debtor: paid_at for debtor, paid_at in self._paid_at.items() if paid_at > now}
        self._paid_at[peer] = max(now, self._paid_at.get(peer, now)) + seconds / self._limits.time_share

    def punish(self, peer: PeerId) -> None:
        """The peer has broken the protocol, which is not free even where it took no time to see."""
        self.charge(peer, self._limits.time_for_broken)

    async def rest(self, peer: PeerId) -> None:
        """Wait for as long as the peer owes more than it may."""
        ahead = self._limits.time_ahead / self._limits.time_share
        until = self._paid_at.get(peer, 0.0) - ahead
        if until > trio.current_time():
            await trio.sleep_until(until)


class Pace:
    """One peer's turn; it exists while the peer has one or waits for one."""

    def __init__(self, pacing: Pacing, peer: PeerId) -> None:
        self._pacing = pacing
        self._peer = peer
        self.lock = trio.Lock()
        self.users = 0

    async def through(self, steps: Iterator[None]) -> None:
        """Go through the steps. Raises what they raise."""
        while self._pacing.step(self._peer, steps):
            await trio.lowlevel.checkpoint()


def in_parts(items: Sequence[_T], size: int, work: Callable[[Sequence[_T]], object]) -> Iterator[None]:
    """Do `work` to something long, in steps of `size` items at most."""
    for start in range(0, len(items), size):
        if start:
            yield
        work(items[start : start + size])


_END = object()
