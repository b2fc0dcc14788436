"""Garbage collection."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from peershelf.blockstore.cid import RAW, Cid
from peershelf.blockstore.store.base import Swept
from peershelf.node.collecting import Collected
from peershelf.node.facade.ground import Ground

OnCollected = Callable[[Sequence[Cid], Collected], Awaitable[None]]
"""Is told which blocks one step removed, as CIDv1 raw, and what was done so far."""


class GarbageCollection(Ground):
    """Removing what no pin needs and nobody works with."""

    async def collect_garbage(
        self, on_collected: OnCollected | None = None, *, forget_lost_pins: bool = False
    ) -> Collected:
        """Remove every block that no pin needs, and give the space back; all else goes on meanwhile.

        What is being added or read stays. Whatever ends a collection, nothing that must stay is lost, and
        another goes on. Raises AlreadyCollecting, BrokenPin before anything is removed, StoreError;
        PinsLost where facts.db was lost, unless `forget_lost_pins` accepts that.
        """
        done = Collected()

        def tell(swept: Swept) -> None:
            nonlocal done
            done = done.plus(swept)
            if on_collected is not None:
                cids = [Cid.v1(RAW, key) for key in swept.keys]
                self.blocking.call(on_collected, cids, done)

        collect = partial(self.collector.collect, forget_lost_pins=forget_lost_pins)
        return await self.blocking.run(collect, tell, self.blocking.check)
