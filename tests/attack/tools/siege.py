"""An attack, the honest transfer that goes on meanwhile, and what must be true after both."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import trio
from victim import Report, Victim

from peershelf.blockstore.block import Block
from peershelf.blockstore.store.memory import MemoryStore
from peershelf.protocols.bitswap import Bitswap
from peershelf.protocols.libp2p import Libp2pNetwork

MIB = 1 << 20
RATE = 10_000_000
"""Bytes in a second at which the honest peer takes, or the victim reads."""
AT_ONCE = 2
TRANSFER_TIMEOUT = 45.0
RECOVERY = 30.0
"""Seconds for what was there during an attack to go away."""


@dataclass
class Transfer:
    """How far an honest transfer is."""

    connected: trio.Event = field(default_factory=trio.Event)
    done: trio.Event = field(default_factory=trio.Event)
    """It has moved everything at least once."""
    stop: trio.Event = field(default_factory=trio.Event)
    """It need not begin anew."""


Run = Callable[[Victim, Transfer], Awaitable[None]]


async def pace(started: float, moved: int) -> None:
    """Wait until `moved` bytes are due."""
    await trio.sleep_until(started + moved / RATE)


@asynccontextmanager
async def honest_peer(victim: Victim, blocks: Sequence[Block] = ()) -> AsyncIterator[Bitswap]:
    """A peer as it should be, connected to the victim, with `blocks` in its store."""
    store = MemoryStore()
    store.put_many(blocks)
    network = Libp2pNetwork(private_key=os.urandom(32), listen=["/ip4/127.0.0.1/tcp/0"], agent="honest/1")
    exchange = Bitswap(network, store)
    async with trio.open_nursery() as nursery:
        await nursery.start(exchange.run)
        await nursery.start(network.run)
        await network.connect(victim.address)
        yield exchange
        nursery.cancel_scope.cancel()


async def upload(victim: Victim, transfer: Transfer) -> None:
    """An honest peer takes all of the victim's blocks, over and over until it is told to stop."""
    while not (transfer.done.is_set() and transfer.stop.is_set()):
        async with honest_peer(victim) as exchange:
            transfer.connected.set()
            start, moved = trio.current_time(), 0
            for first in range(0, len(victim.blocks), AT_ONCE):
                wanted = {block.cid: block.data for block in victim.blocks[first : first + AT_ONCE]}
                async for block in exchange.get_blocks(list(wanted)):
                    assert wanted.pop(block.cid) == block.data
                    moved += len(block.data)
                assert not wanted
                await pace(start, moved)
                if transfer.done.is_set() and transfer.stop.is_set():
                    return
        transfer.done.set()


async def download(victim: Victim, transfer: Transfer) -> None:
    """The victim takes blocks that only an honest peer has."""
    blocks = [Block.create(os.urandom(MIB)) for _ in victim.blocks]
    async with honest_peer(victim, blocks):
        transfer.connected.set()
        start, moved = trio.current_time(), 0
        for block in blocks:
            assert await victim.api("block/get", arg=str(block.cid)) == block.data
            moved += len(block.data)
            await pace(start, moved)
        transfer.done.set()


class Watch:
    """The victim while an attack goes on."""

    def __init__(self, victim: Victim, transfer: Transfer) -> None:
        self._victim = victim
        self.connected, self.transferred = transfer.connected, transfer.done
        self.before = self.peak = victim.memory
        self.descriptors_before = self.peak_descriptors = victim.descriptors

    @property
    def growth(self) -> int:
        return self.peak - self.before

    @property
    def more_descriptors(self) -> int:
        """How many more there were at most than before: sockets above all."""
        return self.peak_descriptors - self.descriptors_before

    async def report(self) -> Report:
        """What the victim is made of now."""
        return await self._victim.report()

    async def run(self) -> None:
        while True:
            self.peak = max(self.peak, self._victim.memory)
            self.peak_descriptors = max(self.peak_descriptors, self._victim.descriptors)
            await trio.sleep(0.02)


@asynccontextmanager
async def siege(
    victim: Victim, *, memory: int, transfer: Run = upload, recovery: float = RECOVERY
) -> AsyncIterator[Watch]:
    """Run a block of attacks while an honest peer transfers at 10 MB/s.

    Fails unless the transfer is complete and right, the victim lives, its memory never grew by more than
    `memory` bytes, and its tasks, slots, descriptors and objects come back to what they were, within
    `recovery` seconds.
    """
    before, stored = await victim.report(), await victim.block_count()
    honest = Transfer()
    watch = Watch(victim, honest)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(watch.run)
            nursery.start_soon(transfer, victim, honest)
            yield watch
            honest.stop.set()
            with trio.fail_after(TRANSFER_TIMEOUT):
                await honest.done.wait()
            nursery.cancel_scope.cancel()
    finally:
        assert victim.lives, "the victim has died"
    assert watch.growth < memory, f"its memory grew by {watch.growth / MIB:.0f} MiB"
    await comes_back(victim, before, recovery)
    taken = len(victim.blocks) if transfer is download else 0
    assert await victim.block_count() == stored + taken, "something unrequested was stored"


async def comes_back(victim: Victim, before: Report, recovery: float) -> None:
    """Fail unless everything that the victim had more of during an attack goes away again."""
    leftovers: dict[str, str] = {}
    with trio.move_on_after(recovery):
        while True:
            leftovers = (await victim.report()).leftovers(before)
            if not leftovers:
                return
            await trio.sleep(0.1)
    raise AssertionError(f"left over: {leftovers}")
