"""Keeping a daemon's repo below its limit: garbage is collected when the repo comes near to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
import trio

from peershelf.blockstore.errors import AlreadyCollecting, BlockstoreError
from peershelf.node.collecting import Collected

log = structlog.get_logger(__name__)

_LOOK_SECONDS = 10.0
_GROWTH_SHARE = 50


@dataclass(slots=True)
class StorageLimit:
    """Decides when to collect. Sizes are bytes on disk.

    After a collection another one has to wait until the repo has grown by a fiftieth of its limit: what is
    pinned alone may be more than the limit, and then collecting again and again would free nothing.
    """

    limit: int
    high_water: int
    """Percent of the limit; 0 for never."""
    _waits_for: int = 0

    def is_due(self, used: int) -> bool:
        """Whether it is time."""
        return bool(self.high_water) and used > max(self.limit * self.high_water // 100, self._waits_for)

    def collected(self, used: int) -> None:
        """A collection has ended and left so much."""
        self._waits_for = used + self.limit // _GROWTH_SHARE


async def keep_below(
    limit: StorageLimit,
    used: Callable[[], Awaitable[int]],
    collect: Callable[[], Awaitable[Collected]],
) -> None:
    """Look at what is used every ten seconds, for ever, and collect when it is due."""
    while True:
        await trio.sleep(_LOOK_SECONDS)
        try:
            before = await used()
            if not limit.is_due(before):
                continue
            log.info("collecting garbage", used=before, limit=limit.limit)
            done = await collect()
            after = await used()
        except AlreadyCollecting:
            continue
        except BlockstoreError as error:
            log.warning("garbage could not be collected", reason=str(error))
            after = before
        else:
            log.info("garbage collected", blocks=done.blocks, freed=done.freed)
            if after > limit.limit:
                log.warning("what is pinned is more than Datastore.StorageMax", used=after, limit=limit.limit)
        limit.collected(after)
