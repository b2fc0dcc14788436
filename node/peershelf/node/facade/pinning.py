"""Pins: what is kept whatever garbage collection does."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Literal

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.path import parse_reference
from peershelf.blockstore.pins import Pin
from peershelf.node.errors import NotPinned, PinnedAlready
from peershelf.node.facade.reading import Reading

if TYPE_CHECKING:
    from peershelf.blockstore.store.base import Hold
    from peershelf.node.fetching_dags import DagGatherer, Progress
    from peershelf.node.iterators import Closeable
    from peershelf.node.pinned import Verified

PinKind = Literal["direct", "recursive", "indirect"]
_SENT_AT_ONCE = 1024


class Pinning(Reading):
    """Pinning, unpinning, and finding out what is pinned.

    A reference is a CID, or text such as CID/path. What pins need is fetched from peers as one pipeline, and
    is safe from collections meanwhile.
    """

    async def pin(
        self,
        reference: Cid | str,
        *,
        recursive: bool = True,
        name: str | None = None,
        announce: bool = True,
        progress: Progress | None = None,
        offline: bool = False,
        timeout: float = math.inf,
    ) -> Cid:
        """Pin a DAG, or one block, and return its CID; then all of it is here and survives a power loss.

        A second pin of a CID widens the first, and gives it the name if there is one. Without `announce`
        the network is not told that it is here; nor is it of what was added so before. `progress` is told
        of each block that is here. Raises PinnedAlready for a single block where the DAG below it is pinned,
        UnsupportedCodec where nobody here can tell what is below a block, and what Reading raises; then
        nothing is pinned, and what has come stays for the next time, as a cache.
        """
        losses = self.store.losses
        async with self._gathered(reference, recursive, progress, offline, timeout, announce) as cid:

            def keep() -> None:
                self.store.sync(losses=losses)
                add = partial(self.pins.add, cid, recursive=recursive, name=name)
                self.store.with_room(lambda: add(announced=None if announce else False))
                self.additions.announce(cid)

            await self.blocking.run(keep)
        return cid

    async def pin_update(
        self,
        old: Cid | str,
        new: Cid | str,
        *,
        unpin: bool = True,
        progress: Progress | None = None,
        offline: bool = False,
        timeout: float = math.inf,
    ) -> tuple[Cid, Cid]:
        """Pin `new` under the name of the recursive pin `old`, and with `unpin` give that one up.

        If `old` is not announced, nor is `new`. Returns both CIDs. Raises NotPinned, and what pin() raises.
        """
        before = await self._recursive_pin(await self.pinned_root(old))
        losses = self.store.losses
        announce = await self.blocking.run(self.pins.is_announced, before.cid)
        async with self._gathered(new, True, progress, offline, timeout, announce) as after:

            def keep() -> None:
                self.store.sync(losses=losses)
                if not announce:
                    self.store.with_room(lambda: self.pins.set_announced(after, False))
                if not self.store.with_room(lambda: self.pins.replace(before.cid, after, unpin=unpin)):
                    raise NotPinned(f"{before.cid} was unpinned meanwhile; nothing was changed")
                self.additions.announce(after)

            await self.blocking.run(keep)
        return before.cid, after

    async def unpin(self, *references: Cid | str, recursive: bool = True) -> list[Cid]:
        """Give pins up, all of them or, if one is none, none. Returns their CIDs.

        Raises NotPinned, which tells the pin that keeps something indirectly, or that it is recursive where
        `recursive` is false.
        """
        cids = [await self.pinned_root(reference) for reference in references]
        await self.blocking.run(self._unpin, cids, recursive)
        return cids

    def pinned(self, *kinds: PinKind) -> Closeable[tuple[Pin, PinKind]]:
        """Iterate over what is pinned: by default what was, directly or recursively; not what is below it.

        "indirect" gives every other CID below a recursive pin, as a Pin that is none by itself.
        """
        wanted = kinds or ("direct", "recursive")

        async def produce(send: Callable[[tuple[Pin, PinKind]], Awaitable[None]]) -> None:
            found = self._list(wanted)
            while some := await self.blocking.run(lambda: list(islice(found, _SENT_AT_ONCE))):
                for one in some:
                    await send(one)

        return self.run_stream(produce, buffered=_SENT_AT_ONCE)

    async def how_pinned(self, *cids: Cid) -> dict[Cid, tuple[Pin, PinKind]]:
        """Tell for each CID how it is pinned: by itself, or "indirect" by which pin. Others are left out."""
        return await self.blocking.run(self._how_pinned, cids)

    def verify_pins(self, on_block: Callable[[int], None] = lambda size: None) -> Closeable[Verified]:
        """Read all that pins need, and iterate over the pins with what is missing or damaged below each.

        `on_block` is told the size of each block, from a worker thread.
        """

        from peershelf.node.pinned import PinVerifier

        async def produce(send: Callable[[Verified], Awaitable[None]]) -> None:
            def check(size: int) -> None:
                self.blocking.check()
                on_block(size)

            verified = PinVerifier(self.store, self.pins, check).verify()
            while (one := await self.blocking.run(next, verified, None)) is not None:
                await send(one)

        return self.run_stream(produce)

    @asynccontextmanager
    async def _gathered(
        self,
        reference: Cid | str,
        recursive: bool,
        progress: Progress | None,
        offline: bool,
        timeout: float,
        announce: bool,
    ) -> AsyncIterator[Cid]:
        """Have a DAG here, and held for as long as the block lasts."""
        with self.additions.holding(announce=announce) as hold:
            async with self._reading(reference, offline=offline, timeout=timeout) as (fetcher, (cid,)):
                await self._refuse_narrower(cid, recursive)
                await self._gatherer(hold, progress).gather(fetcher, cid, recursive=recursive)
            yield cid

    async def pinned_root(self, reference: Cid | str) -> Cid:
        """The CID of what is pinned already, and may be blocked by now: then it can still be given up."""
        root, names = parse_reference(reference) if isinstance(reference, str) else (reference, ())
        return await self.resolve(reference, offline=True) if names else root

    def _gatherer(self, hold: Hold, progress: Progress | None) -> DagGatherer:
        from peershelf.node.fetching_dags import DagGatherer

        return DagGatherer(self.blocks, hold, progress)

    async def _refuse_narrower(self, cid: Cid, recursive: bool) -> None:
        pin = None if recursive else await self.blocking.run(self.pins.get, cid)
        if pin is not None and pin.recursive:
            raise PinnedAlready(f"{cid} is pinned recursively already")

    async def _recursive_pin(self, cid: Cid) -> Pin:
        pin = await self.blocking.run(self.pins.get, cid)
        if pin is None or not pin.recursive:
            raise NotPinned(f"{cid} is not pinned recursively")
        return pin

    def _unpin(self, cids: list[Cid], recursive: bool) -> None:
        for cid in cids:
            pin = self.pins.get(cid)
            if pin is None:
                holder = self._holders([cid]).get(cid)
                how = "is not pinned" if holder is None else f"is pinned indirectly, under {holder}"
                raise NotPinned(f"{cid} {how}; nothing was unpinned")
            if pin.recursive and not recursive:
                raise NotPinned(f"{cid} is pinned recursively; nothing was unpinned")
        self.store.with_room(lambda: self.pins.remove(*cids))

    def _list(self, kinds: tuple[PinKind, ...]) -> Iterator[tuple[Pin, PinKind]]:
        for pin in self.pins.list():
            kind: PinKind = "recursive" if pin.recursive else "direct"
            if kind in kinds:
                yield pin, kind
        if "indirect" in kinds:
            from peershelf.node.pinned import indirect

            for cid in indirect(self.store, self.pins):
                yield Pin(cid, recursive=False), "indirect"

    def _how_pinned(self, cids: tuple[Cid, ...]) -> dict[Cid, tuple[Pin, PinKind]]:
        found: dict[Cid, tuple[Pin, PinKind]] = {}
        for cid in cids:
            pin = self.pins.get(cid)
            if pin is not None:
                found[cid] = pin, "recursive" if pin.recursive else "direct"
        rest = [cid for cid in cids if cid not in found]
        for cid, holder in self._holders(rest).items() if rest else ():
            pin = self.pins.get(holder)
            if pin is not None:
                found[cid] = pin, "indirect"
        return found

    def _holders(self, cids: Sequence[Cid]) -> dict[Cid, Cid]:
        from peershelf.node.pinned import holders

        found = holders(self.store, self.pins, cids, only_recursive=True, check=self.blocking.check)
        return {cid: holder.pin for cid, holder in found.items()}
