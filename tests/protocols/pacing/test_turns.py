"""Work on messages is done in steps, one message of a peer at a time, and paid for by resting."""

from __future__ import annotations

import pytest
import trio

from peershelf.protocols.pacing.limits import TimeLimits
from peershelf.protocols.pacing.turns import Pacing, in_parts
from peershelf.protocols.transport import PeerId

A, B = PeerId("A"), PeerId("B")
LIMITS = TimeLimits(share=0.2, ahead=0.1, share_all=0.2, light=0.01, broken=0.02)


class Work:
    """Steps that take CPU time, on a clock that nothing else moves."""

    def __init__(self) -> None:
        self.cpu = 0.0
        self.pacing = Pacing(LIMITS, lambda: self.cpu)
        self.log: list[object] = []

    async def do(self, peer: PeerId, number: int, seconds: float = 0.0, name: object = None) -> None:
        def one(step) -> None:
            self.cpu += seconds
            self.log.append(name)

        async with self.pacing.turn(peer) as pace:
            await pace.through(in_parts(range(number), 1, one))


@pytest.fixture
def work() -> Work:
    return Work()


async def test_between_two_steps_others_have_a_turn(work):
    async with trio.open_nursery() as nursery:
        for peer in (A, B):
            nursery.start_soon(work.do, peer, 50, 0.0, peer)
    assert all(set(work.log[start : start + 4]) == {A, B} for start in range(0, 96, 4))


async def test_of_one_peer_one_message_is_worked_on_at_a_time(work):
    async with trio.open_nursery() as nursery:
        for name in range(20):
            nursery.start_soon(work.do, A, 10, 0.0, name)
    assert all(len(set(work.log[start : start + 10])) == 1 for start in range(0, 200, 10))


async def test_a_peer_rests_until_it_has_paid_for_what_it_cost(work, autojump_clock):
    start = trio.current_time()
    for _ in range(101):
        await work.do(A, 10, 0.001)
    # One second of work, a tenth of it ahead, at a fifth of the time.
    assert trio.current_time() - start == pytest.approx((1 - 0.1) / 0.2, rel=0.01)


async def test_what_it_may_cost_at_once_is_free_of_waiting(work, autojump_clock):
    start = trio.current_time()
    await work.do(A, 100, 0.001)
    assert trio.current_time() - start < 0.01


async def test_other_peers_do_not_wait_for_one_that_rests(work, autojump_clock):
    await work.do(A, 300, 0.001)
    start = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(work.do, A, 1)
        await work.do(B, 10, 0.001)
        assert trio.current_time() == start


async def test_the_next_message_waits_for_what_the_last_one_cost(work, autojump_clock):
    await work.do(A, 1, 1.0)
    start = trio.current_time()
    await work.do(A, 1)
    assert trio.current_time() - start == pytest.approx((1 - 0.1) / 0.2)


async def test_steps_that_fail_are_charged_too(work, autojump_clock):
    def failing():
        work.cpu += 1.0
        raise ValueError
        yield

    with pytest.raises(ValueError):
        async with work.pacing.turn(A) as pace:
            await pace.through(failing())
    start = trio.current_time()
    await work.do(A, 1)
    assert trio.current_time() - start == pytest.approx((1 - 0.1) / 0.2)


async def test_the_protocol_can_be_broken_ten_times_a_second(work, autojump_clock):
    start = trio.current_time()
    for _ in range(100):
        work.pacing.punish(A)
    await work.do(A, 1)
    assert trio.current_time() - start == pytest.approx(100 / 10 - 0.5)


async def test_a_cancelled_turn_leaves_nothing_behind(work):
    with trio.move_on_after(0) as scope:
        await work.do(A, 10)
    assert scope.cancelled_caught
    await work.do(A, 10)
    assert not work.pacing._paces


async def test_debts_that_are_paid_are_forgotten(work, autojump_clock):
    for number in range(2_000):
        await work.do(PeerId(str(number)), 1, 0.0001)
        await trio.sleep(0.001)
    assert len(work.pacing._debts) <= 1_024


def test_parts_are_whole_together():
    for number in (0, 1, 4, 5, 8, 9):
        cut: list[range] = []
        breaks = len(list(in_parts(range(number), 4, cut.append)))
        assert [one for part in cut for one in part] == list(range(number))
        assert all(1 <= len(part) <= 4 for part in cut)
        assert breaks == max(0, len(cut) - 1)
