"""Whether what is stored is what it should be."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from itertools import islice
from typing import TypeVar

from peershelf.blockstore.cid import Cid
from peershelf.node.errors import NotOnline, TimedOut
from peershelf.node.facade.pinning import Pinning
from peershelf.node.iterators import Closeable
from peershelf.node.pinned import holders
from peershelf.node.verifying import Checked, Finding, PinCheck, read_all

_AT_ONCE = 256
_HEALING_SECONDS = 60.0

T = TypeVar("T")
Send = Callable[[Finding | Checked], Awaitable[None]]


class Verifying(Pinning):
    """Reading all that is stored, and mending it."""

    def verify(
        self, *, heal: bool = False, drop: bool = False, timeout: float = math.inf
    ) -> Closeable[Finding | Checked]:
        """Hash every block, look for what pins need, and iterate over what is not as it should be.

        Now and then a Checked says how far it is. With `heal`, what is damaged or missing is asked of peers,
        for a minute or until `timeout` seconds have passed; with `drop`, damaged blocks that were not healed
        are removed. Then another Finding of the block says what became of it. Everything else goes on
        meanwhile. Raises NotOnline for `heal` without a network, StoreError.
        """
        if heal and not self.is_online:
            raise NotOnline("healing asks peers: use `node daemon`, or name one with --peer ADDR")

        async def produce(send: Send) -> None:
            found = await self._find(send)
            bad = list(found.values())
            while heal and found:
                left = await self._heal(found, min(timeout, _HEALING_SECONDS), send)
                bad = [one for one in bad if one.cid not in found] + left
                # Below a node that was healed, more may be missing.
                found = await self._find_broken({one.cid.multihash for one in bad}, send)
                bad += found.values()
            if drop:
                await self._drop([one for one in bad if one.state == "damaged"], send)

        return self.run_stream(produce)

    async def _find(self, send: Send) -> dict[Cid, Finding]:
        found: dict[Cid, Finding] = {}
        damaged: list[Cid] = []
        reading = read_all(self.store)
        while (step := await self.blocking.run(next, reading, None)) is not None:
            await send(step[0])
            damaged += step[1]
            if len(damaged) >= _AT_ONCE:
                found |= await self._tell_of(damaged, send)
                damaged = []
        found |= await self._tell_of(damaged, send)
        return found | await self._find_broken({cid.multihash for cid in found}, send)

    async def _tell_of(self, damaged: Sequence[Cid], send: Send) -> dict[Cid, Finding]:
        """Name blocks as the pins do that need them: that goes through all pins, so many at once."""
        if not damaged:
            return {}
        found: dict[Cid, Finding] = {}
        held = await self.blocking.run(holders, self.store, self.pins, damaged)
        for cid in damaged:
            holder = held.get(cid)
            one = Finding(holder.name, "damaged", holder.pin) if holder else Finding(cid, "damaged")
            found[one.cid] = one
            await send(one)
        return found

    async def _find_broken(self, known: Set[bytes], send: Send) -> dict[Cid, Finding]:
        """Find what pins need and lack, beside the multihashes that are known to be bad."""
        found: dict[Cid, Finding] = {}
        broken = PinCheck(self.store, self.pins, self.blocking.check).broken()
        while some := await self.blocking.run(_take, broken):
            for finding in some:
                if finding.cid.multihash not in known:
                    found[finding.cid] = finding
                    await send(finding)
        return found

    async def _heal(self, found: Mapping[Cid, Finding], timeout: float, send: Send) -> list[Finding]:
        """Fetch anew what was found. Returns what could not be had."""
        left = {cid: one for cid, one in found.items() if one.state != "malformed"}
        malformed = [one for one in found.values() if one.state == "malformed"]
        with suppress(TimedOut):
            async with self.blocks.fetcher(*left, timeout=timeout) as fetcher:
                fetcher.want(list(left))
                awaited = set(left)
                while awaited:
                    found_now = await fetcher.receive()
                    awaited -= {*(block.cid for block in found_now.blocks), *found_now.missing}
                    for block in found_now.blocks:
                        finding = left.pop(block.cid, None)
                        if finding is not None:
                            await send(Finding(block.cid, "healed", finding.pin))
        await self.blocking.run(self.store.sync)
        return [*left.values(), *malformed]

    async def _drop(self, found: Sequence[Finding], send: Send) -> None:
        dropped = await self.blocking.run(self.store.drop_damaged, [one.cid for one in found])
        for one in found:
            # One that was put or fetched again meanwhile is sound.
            await send(Finding(one.cid, "dropped" if one.cid in dropped else "healed", one.pin))


def _take(items: Iterator[T]) -> list[T]:
    return list(islice(items, _AT_ONCE))
