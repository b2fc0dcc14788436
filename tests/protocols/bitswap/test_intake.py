"""What arrives goes into the store in batches, and nobody has to wait for that."""

from __future__ import annotations

import pytest
import trio

from peershelf.blockstore.store.memory import MemoryStore
from peershelf.protocols.bitswap.budget import InboundBudget
from peershelf.protocols.bitswap.intake import Intake
from peershelf.protocols.transport import PeerId

MIB = 1 << 20
A_MOMENT = 0.1


class Arriving:
    """An intake for which `coming` bytes are said to be on their way, and the batches that it made."""

    def __init__(self, coming: float) -> None:
        self.batches: list[int] = []
        self._budget = InboundBudget(64 * MIB, 64 * MIB)
        self.intake = Intake(
            MemoryStore(),
            self._hop,
            expected=lambda peer: frozenset(),
            coming=lambda seconds: coming,
            arrived=lambda arrivals: self.batches.append(len(arrivals)),
            failed=lambda error: None,
        )

    async def comes(self, payload) -> None:
        ticket = await self._budget.admit(PeerId("A"), len(payload.data), lambda: None)
        self.intake.put(PeerId("A"), [payload], ticket)

    async def _hop(self, function):
        await trio.lowlevel.checkpoint()
        return function()


@pytest.fixture
def arriving(nursery):
    def start(coming: float) -> Arriving:
        arriving = Arriving(coming)
        nursery.start_soon(arriving.intake.run)
        return arriving

    return start


@pytest.fixture
def block(make_blocks, payload):
    return payload(make_blocks(1, MIB)[0])


async def test_blocks_that_follow_quickly_are_stored_together(arriving, autojump_clock, block):
    arrivals = arriving(coming=3 * MIB)
    for _ in range(4):
        await arrivals.comes(block)
        await trio.sleep(0.001)
    await trio.testing.wait_all_tasks_blocked()
    assert arrivals.batches == [4]


async def test_blocks_that_do_not_follow_are_not_waited_for_long(arriving, autojump_clock, block):
    arrivals = arriving(coming=3 * MIB)
    await arrivals.comes(block)
    await trio.sleep(A_MOMENT)
    assert arrivals.batches == [1]


async def test_a_block_behind_which_little_comes_is_stored_at_once(arriving, autojump_clock, block):
    arrivals = arriving(coming=MIB / 2)
    start = trio.current_time()
    await arrivals.comes(block)
    while not arrivals.batches:
        await trio.lowlevel.checkpoint()
    assert trio.current_time() == start
