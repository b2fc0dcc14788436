"""What arrives is hashed and stored in batches, large blocks in two workers side by side."""

from __future__ import annotations

import pytest
import trio

from peershelf.blockstore.errors import StoreFull
from peershelf.blockstore.store.memory import MemoryStore
from peershelf.protocols.bitswap.budget import InboundBudget
from peershelf.protocols.bitswap.intake import Intake
from peershelf.protocols.bitswap.messages import Payload, Prefix
from peershelf.protocols.transport import PeerId

MIB = 1 << 20
PEER = PeerId("A")


class Arriving:
    """An intake whose hops wait for `go`, and what became of the blocks that were put into it."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.budget = InboundBudget(64 * MIB, 64 * MIB)
        self.hops = 0
        self.batches: list[int] = []
        self.failed: list[PeerId] = []
        self.go = trio.Event()
        self._expected: set[bytes] = set()
        self.intake = Intake(
            self.store,
            self._hop,
            expected=lambda peer: frozenset(self._expected),
            arrived=lambda arrivals, seconds: self.batches.append(len(arrivals)),
            cpu=lambda: 0.0,
            failed=lambda error, senders: self.failed.extend(senders),
        )

    async def comes(self, *blocks) -> None:
        for block in blocks:
            self._expected.add(block.cid.multihash)
            ticket = await self.budget.admit(PEER, len(block.data), lambda: None)
            self.intake.put(PEER, [Payload(Prefix.of(block.cid), block.data)], ticket)

    async def _hop(self, function):
        self.hops += 1
        await self.go.wait()
        return function()


@pytest.fixture
def arriving(nursery):
    arriving = Arriving()
    nursery.start_soon(arriving.intake.run)
    return arriving


async def all_of(arriving: Arriving, number: int) -> None:
    with trio.fail_after(5):
        while sum(arriving.batches) + len(arriving.failed) < number:
            await trio.lowlevel.checkpoint()


async def test_small_blocks_take_one_hop_together(arriving, make_blocks):
    blocks = make_blocks(8, 4_096)
    await arriving.comes(*blocks)
    arriving.go.set()
    await all_of(arriving, 8)
    assert (arriving.batches, arriving.hops) == ([8], 1)
    assert all(arriving.store.get(block.cid) == block.data for block in blocks)


async def test_large_blocks_are_all_stored_and_let_go_of(arriving, make_blocks):
    blocks = make_blocks(6, MIB)
    await arriving.comes(*blocks)
    arriving.go.set()
    await all_of(arriving, 6)
    assert all(arriving.store.get(block.cid) == block.data for block in blocks)
    assert arriving.budget.used == 0


async def test_both_workers_are_at_work_at_a_time(arriving, make_blocks):
    first, second = make_blocks(2, 2 * MIB)
    arriving.go.set()
    await arriving.comes(first)
    while not arriving.hops:
        await trio.lowlevel.checkpoint()
    arriving.go = trio.Event()  # the first is hashed, and waits in the hop that stores it
    await arriving.comes(second)
    await trio.testing.wait_all_tasks_blocked()
    assert arriving.hops == 3
    arriving.go.set()
    await all_of(arriving, 2)


async def test_who_sent_what_could_not_be_stored_is_told(arriving, make_blocks, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise StoreFull("no space")

    monkeypatch.setattr(arriving.store, "put_many", refuse)
    await arriving.comes(*make_blocks(1, MIB), *make_blocks(2, 1_000))
    arriving.go.set()
    await all_of(arriving, 3)
    assert arriving.failed == [PEER] * 3
    assert arriving.budget.used == 0
