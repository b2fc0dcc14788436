"""Announces new roots at once, and all that the strategy names every 22 hours, in the order of the key space.

A provider record is good for 48 hours, so one sweep may be missed. What was queued is taken out only when its
announcement has been tried; if nobody took note, because there are no peers yet, it stays.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

import trio

from peershelf.blockstore.errors import BlockstoreError
from peershelf.node.observe import later
from peershelf.node.providing.queue import ProvideQueue
from peershelf.protocols.offload import Offload, in_thread
from peershelf.protocols.routing.base import Router

log = later.Logger(__name__)

_AT_ONCE = 4096
"""Keys that are announced together: those near to one another share a search."""
_FIRST_RETRY, _LAST_RETRY = 5.0, 900.0
"""Seconds after which what nobody took is tried again, twice as many each time."""
_LAST_SWEEP = "last sweep"


@dataclass(frozen=True, slots=True)
class ProvideStat:
    """How far the announcing is. Times are seconds since 1970."""

    queued: int
    provided: int
    """Keys announced since the node started."""
    records: int
    """Notes that others took of them."""
    busy: float
    """Seconds spent on that."""
    last_sweep: float | None
    next_sweep: float | None


class Provider:
    """The service. `keys` gives what a sweep announces, less what `is_blocked`; both are used in threads."""

    def __init__(
        self,
        queue: ProvideQueue,
        router: Router,
        keys: Callable[[], Iterable[bytes]],
        interval: float,
        *,
        is_blocked: Callable[[bytes], bool] = lambda key: False,
        offload: Offload = in_thread,
    ) -> None:
        self._offload = offload
        self._queue = queue
        self._router = router
        self._keys = keys
        self._interval = interval
        self._is_blocked = is_blocked
        self._woken = trio.Event()
        self._anew = False
        self._provided = self._records = 0
        self._busy = 0.0

    def wake(self) -> None:
        """Something was queued."""
        self._woken.set()

    def announce_all(self) -> None:
        """Others could not be told before where this node is: announce everything anew."""
        self._anew = True
        self.wake()

    async def run(self) -> None:
        """Announce until cancelled."""
        retry = _FIRST_RETRY
        while True:
            self._woken = trio.Event()
            try:
                await self._sweep_if_due()
                all_taken = await self._announce_queue()
            except BlockstoreError as error:
                log.warning("not_announced", reason=str(error))
                all_taken = False
            if all_taken:
                retry, pause = _FIRST_RETRY, await self._offload(self._until_sweep)
            else:
                retry, pause = min(2 * retry, _LAST_RETRY), retry
            with trio.move_on_after(pause):
                await self._woken.wait()

    def stat(self) -> ProvideStat:
        """How far it is. Blocking. Raises StoreError."""
        last = self._queue.marked(_LAST_SWEEP)
        following = None if last is None else last + self._interval
        return ProvideStat(len(self._queue), self._provided, self._records, self._busy, last, following)

    def clear(self) -> int:
        """Empty the queue; returns how many keys there were. Blocking. Raises StoreError."""
        return self._queue.clear()

    def _until_sweep(self) -> float:
        last = self._queue.marked(_LAST_SWEEP) or 0.0
        return max(1.0, last + self._interval - time.time())

    async def _sweep_if_due(self) -> None:
        last = await self._offload(partial(self._queue.marked, _LAST_SWEEP))
        # A clock that was set back must not put the next sweep off for ever.
        if not self._anew and last is not None and 0 <= time.time() - last < self._interval:
            return
        self._anew = False
        await self._offload(self._queue_all)

    def _queue_all(self) -> None:
        keys = iter(self._keys())
        while some := list(islice(keys, _AT_ONCE)):
            self._queue.add(some)
        self._queue.mark(_LAST_SWEEP, time.time())

    def _allowed(self, keys: Sequence[bytes]) -> list[bytes]:
        return [key for key in keys if not self._is_blocked(key)]

    async def _announce_queue(self) -> bool:
        """Returns whether the queue is empty."""
        while keys := await self._offload(partial(self._queue.first, _AT_ONCE)):
            started = trio.current_time()
            to_tell = await self._offload(partial(self._allowed, keys))
            records = await self._router.provide(to_tell) if to_tell else 0
            self._busy += trio.current_time() - started
            if to_tell and not records:
                return False
            self._records += records
            self._provided += len(to_tell)
            await self._offload(partial(self._queue.remove, keys))
        return True
