"""The CPU time of something that is awaited, and of nothing else."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from peershelf.protocols.pacing.metered import Metered, charging


class Clock:
    """The CPU time that tests say has passed."""

    def __init__(self) -> None:
        self.now = 0.0
        self.charged = 0.0

    def cpu(self) -> float:
        return self.now

    def charge(self, seconds: float) -> None:
        self.charged += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def test_only_its_own_time_is_counted(clock):
    async def work() -> str:
        clock.now += 1
        await trio.testing.wait_all_tasks_blocked()
        clock.now += 2
        return "done"

    async def another() -> None:
        clock.now += 100

    async with trio.open_nursery() as nursery:
        nursery.start_soon(another)
        assert await Metered(work(), charging(clock.charge, clock.cpu)) == "done"
    assert (clock.charged, clock.now) == (3, 103)


async def test_what_it_raises_is_raised_and_its_time_counts(clock):
    async def work() -> None:
        await trio.lowlevel.checkpoint()
        clock.now += 1
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await Metered(work(), charging(clock.charge, clock.cpu))
    assert clock.charged == 1


async def test_cancellation_arrives_in_it(clock):
    async def work() -> None:
        try:
            await trio.sleep_forever()
        finally:
            clock.now += 1

    with trio.CancelScope() as scope:
        scope.cancel()
        await Metered(work(), charging(clock.charge, clock.cpu))
    assert scope.cancelled_caught
    assert clock.charged == 1


async def test_it_may_deal_with_cancellation_itself(clock):
    async def work() -> str:
        with trio.move_on_after(0):
            await trio.sleep_forever()
        return "went on"

    assert await Metered(work(), charging(clock.charge, clock.cpu)) == "went on"
