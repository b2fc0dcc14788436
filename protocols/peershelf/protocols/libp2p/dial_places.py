"""Whose address is dialed next, where more want to be than may be at a time.

An address that answers is done with in a moment; one that does not holds its place until the dial is over,
and strangers name such addresses by the dozen. So places go first to dials that have none, and where all are
taken the address that has been dialed for longest gives its place up to such a dial, once it has had some
patience.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from math import inf

import trio

from peershelf.protocols.errors import DialFailed

PATIENCE = 3.0
"""Seconds that an address has in any case: connecting and the handshakes are four round trips or five."""


@dataclass(eq=False, slots=True)
class _Holder:
    """An address that is being dialed."""

    dial: Hashable
    since: float
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)


@dataclass(eq=False, slots=True)
class _Waiter:
    """An address that waits to be dialed."""

    dial: Hashable
    changed: trio.Event = field(default_factory=trio.Event)


class DialPlaces:
    """Places for `most` addresses at a time."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._holders: list[_Holder] = []
        self._waiting: list[_Waiter] = []
        self._held: Counter[Hashable] = Counter()

    @property
    def taken(self) -> int:
        """How many are in use."""
        return len(self._holders)

    @asynccontextmanager
    async def place(self, dial: Hashable) -> AsyncIterator[None]:
        """Hold a place for an address of `dial`. Raises DialFailed when it is given to another dial."""
        holder = await self._take(dial)
        try:
            with holder.scope:
                yield
        finally:
            self._holders.remove(holder)
            self._held -= Counter([dial])
            self._tell_next()
        if holder.scope.cancelled_caught:
            raise DialFailed(f"no answer for {trio.current_time() - holder.since:.3g} s, and others waited")

    async def _take(self, dial: Hashable) -> _Holder:
        waiter = _Waiter(dial)
        self._waiting.append(waiter)
        try:
            await trio.lowlevel.checkpoint()
            while not (self._next() is waiter and self.taken < self.most):
                await self._wait(waiter)
            holder = _Holder(dial, trio.current_time())
            self._holders.append(holder)
            self._held[dial] += 1
            return holder
        finally:
            self._waiting.remove(waiter)
            self._tell_next()

    async def _wait(self, waiter: _Waiter) -> None:
        waiter.changed = trio.Event()
        with trio.move_on_at(self._when_to_push(waiter)) as patience:
            await waiter.changed.wait()
        if patience.cancelled_caught:
            self._holders[0].scope.cancel()

    def _when_to_push(self, waiter: _Waiter) -> float:
        """When this waiter has the oldest give its place up."""
        if self._next() is not waiter or self._held[waiter.dial] or not self._holders:
            return inf
        oldest = self._holders[0]
        return inf if oldest.scope.cancel_called else oldest.since + PATIENCE

    def _next(self) -> _Waiter:
        """Of those whose dials have the fewest places, who came first."""
        return min(self._waiting, key=lambda one: self._held[one.dial])

    def _tell_next(self) -> None:
        if self._waiting:
            self._next().changed.set()
