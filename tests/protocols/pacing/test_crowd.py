"""All peers together have one share of the time; who has cost least lately goes first, and by address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
import trio

from peershelf.protocols.pacing.limits import TimeLimits
from peershelf.protocols.pacing.turns import Pacing, in_parts
from peershelf.protocols.transport import PeerId

A, B = PeerId("A"), PeerId("B")
LIMITS = TimeLimits(share=0.2, share_all=0.2, ahead_all=0.1, light=0.01)
STEP = 0.001
CROWD = [PeerId(f"hostile {number}") for number in range(16)]


class Work:
    """What peers cause, on a CPU's clock that only their steps move."""

    def __init__(
        self, place: Callable[[PeerId], object] = lambda peer: peer, limits: TimeLimits = LIMITS
    ) -> None:
        self.cpu = 0.0
        self.pacing = Pacing(limits, lambda: self.cpu, place)
        self.of: Counter[PeerId] = Counter()

    async def message(self, peer: PeerId, steps: int) -> None:
        def one(step) -> None:
            self.cpu += STEP
            self.of[peer] += 1

        async with self.pacing.turn(peer) as pace:
            await pace.through(in_parts(range(steps), 1, one))

    async def without_end(self, peer: PeerId, steps: int = 20, *, every: float = 0.0) -> None:
        while True:
            await self.message(peer, steps)
            await trio.sleep(every)


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
async def crowd(work, nursery) -> None:
    """Sixteen peers that want all they can get, and have done so for a while."""
    for peer in CROWD:
        nursery.start_soon(work.without_end, peer)
    await trio.sleep(10)


async def test_all_peers_together_have_one_share(work, autojump_clock, crowd):
    assert 10 * 0.2 * 0.95 < work.cpu < 10 * 0.2 * 1.05 + 0.1


async def test_the_share_is_parted_evenly_among_those_who_want_more(work, autojump_clock, crowd):
    mean = sum(work.of.values()) / len(CROWD)
    assert all(0.8 * mean < work.of[peer] < 1.2 * mean for peer in CROWD)


async def test_who_costs_little_does_not_wait_behind_a_crowd(work, autojump_clock, crowd):
    for _ in range(100):
        start = trio.current_time()
        await work.message(A, 1)
        assert trio.current_time() == start
        await trio.sleep(0.2)


@pytest.mark.parametrize("place", [lambda peer: peer, lambda peer: "all"])
async def test_who_comes_first_has_a_turn_next(nursery, autojump_clock, place):
    """Only a step of another's is in its way, and what its own cost, until it has had as much as others."""
    work = Work(place, replace(LIMITS, light=0.0))
    for peer in CROWD:
        nursery.start_soon(work.without_end, peer)
    await trio.sleep(10)
    start = trio.current_time()
    await work.message(A, 15)
    assert trio.current_time() - start < 17 * STEP / 0.2


async def test_many_who_cost_little_each_are_bounded_too(work, nursery, autojump_clock):
    for number in range(100):
        nursery.start_soon(partial(work.without_end, PeerId(str(number)), 1, every=0.11))
    await trio.sleep(20)
    assert work.cpu < 20 * 2 * 0.2 * 1.1


async def test_a_crowd_at_one_address_counts_as_one(nursery, autojump_clock):
    work = Work(lambda peer: "theirs" if peer in CROWD else peer)
    for peer in CROWD:
        nursery.start_soon(work.without_end, peer)
    nursery.start_soon(work.without_end, A)
    await trio.sleep(20)
    assert work.of[A] == pytest.approx(sum(work.of.values()) / 2, rel=0.1)


async def test_a_peer_that_is_alone_has_its_own_share(work, nursery, autojump_clock):
    nursery.start_soon(work.without_end, A)
    await trio.sleep(10)
    assert work.cpu > 10 * 0.2 * 0.95


async def test_who_gives_up_waiting_holds_nobody_up(work, autojump_clock, crowd):
    for _ in range(20):
        with trio.move_on_after(0.003):
            await work.message(B, 30)
    before = work.cpu
    await trio.sleep(5)
    assert work.cpu - before > 5 * 0.2 * 0.95


async def test_who_broke_the_protocol_goes_last(work, autojump_clock, crowd):
    for _ in range(5):
        work.pacing.punish(B)
    with trio.move_on_after(0.1):
        await work.message(B, 1)
    assert not work.of[B]


async def test_what_was_long_ago_is_forgotten(work, autojump_clock):
    for number in range(2_000):
        await work.message(PeerId(str(number)), 1)
        await trio.sleep(0.2)
    assert len(work.pacing._crowd._by_peer._seconds) <= 256
