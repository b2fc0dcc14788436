"""What a task does between its waits is measured, and nothing else about it is different."""

from __future__ import annotations

import pytest
import trio

from peershelf.protocols.pacing.limits import TimeLimits
from peershelf.protocols.pacing.turns import Pacing, in_parts
from peershelf.protocols.transport import PeerId

A = PeerId("A")
LIMITS = TimeLimits(share=0.2, ahead=0.1, share_all=1.0, ahead_all=10.0, light=0.01)


class Work:
    def __init__(self) -> None:
        self.cpu = 0.0
        self.pacing = Pacing(LIMITS, lambda: self.cpu)

    async def in_pieces(self) -> str:
        for _ in range(4):
            self.cpu += 0.5
            await trio.sleep(1)
        return "done"

    async def with_steps(self) -> None:
        def step(part: object) -> None:
            self.cpu += 0.1

        self.cpu += 0.5
        async with self.pacing.turn(A) as pace:
            await pace.through(in_parts(range(10), 1, step))
        self.cpu += 0.5

    async def failing(self) -> None:
        await trio.sleep(1)
        self.cpu += 2.0
        raise ValueError

    async def cancelled(self) -> None:
        try:
            await trio.sleep_forever()
        finally:
            self.cpu += 2.0

    def owed(self) -> float:
        return self.pacing._debts.rest(A, trio.current_time()) * LIMITS.share + LIMITS.ahead


@pytest.fixture
def work() -> Work:
    return Work()


async def test_all_that_lies_between_waits_is_charged(work, autojump_clock):
    assert await work.pacing.metered(A, work.in_pieces()) == "done"
    assert work.owed() == pytest.approx(2.0 - 4 * LIMITS.share)


async def test_steps_on_the_way_are_charged_once(work, autojump_clock):
    start = trio.current_time()
    await work.pacing.metered(A, work.with_steps())
    assert work.owed() == pytest.approx(2.0 - (trio.current_time() - start) * LIMITS.share)


async def test_what_fails_is_charged_and_fails(work, autojump_clock):
    with pytest.raises(ValueError):
        await work.pacing.metered(A, work.failing())
    assert work.owed() == pytest.approx(2.0)


async def test_what_is_cancelled_is_charged_and_cancelled(work, autojump_clock):
    with trio.move_on_after(5) as scope:
        await work.pacing.metered(A, work.cancelled())
    assert scope.cancelled_caught
    assert work.owed() == pytest.approx(2.0)
