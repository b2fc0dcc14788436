"""Peers that share a line, in virtual time."""

from __future__ import annotations

from itertools import pairwise

import pytest
import trio

from peershelf.protocols.traffic.bucket import Bucket
from peershelf.protocols.traffic.lane import SMALL, Lane

RATE = 1_000_000


async def move(lane: Lane, size: int) -> None:
    while size:
        size -= await lane.admit(size)


class Mover:
    """Sends as much as it may, for as long as it may."""

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self.sent = 0

    async def run(self) -> None:
        while True:
            self.sent += await self.lane.admit(1 << 30)


async def run_for(seconds: float, *movers: Mover) -> None:
    with trio.move_on_after(seconds):
        async with trio.open_nursery() as nursery:
            for mover in movers:
                nursery.start_soon(mover.run)


@pytest.mark.parametrize("rate", [2_000, 20_000, 1_000_000, 20_000_000, 300_000_000])
async def test_every_second_and_all_of_them_keep_to_the_rate(autojump_clock, rate):
    mover, marks = Mover(Lane([Bucket(rate)])), [0]
    with trio.move_on_after(20):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(mover.run)
            while True:
                await trio.sleep(1)
                marks.append(mover.sent)
    seconds = [later - earlier for earlier, later in pairwise(marks)]
    # At the lowest rates one portion is half a second's worth.
    assert all(second <= 1.05 * rate + 1024 for second in seconds)
    assert all(second >= 0.95 * rate - 1024 for second in seconds)
    assert mover.sent == pytest.approx(20 * rate, rel=0.05)


async def test_peers_get_equal_shares_however_many_streams_they_have(autojump_clock):
    shared = Bucket(RATE)
    lanes = [Lane([shared]) for _ in range(3)]
    movers = [Mover(lanes[0]), Mover(lanes[1]), *(Mover(lanes[2]) for _ in range(10))]
    await run_for(10, *movers)
    shares = [movers[0].sent, movers[1].sent, sum(mover.sent for mover in movers[2:])]
    assert shares == [pytest.approx(10 * RATE / 3, rel=0.02)] * 3
    assert max(mover.sent for mover in movers[2:]) < 1.1 * min(mover.sent for mover in movers[2:])


@pytest.mark.parametrize(("peers", "share"), [(1, 0.3), (2, 0.3), (5, 0.2)])
async def test_a_peer_gets_what_it_may_have_or_its_share_of_all(autojump_clock, peers, share):
    shared = Bucket(RATE)
    movers = [Mover(Lane([Bucket(int(0.3 * RATE)), shared])) for _ in range(peers)]
    await run_for(10, *movers)
    assert [mover.sent for mover in movers] == [pytest.approx(10 * share * RATE, rel=0.02)] * peers


async def test_what_one_peer_has_no_use_for_the_others_get(autojump_clock):
    shared = Bucket(RATE)
    lazy, keen = Lane([shared]), [Mover(Lane([shared])) for _ in range(2)]

    async def now_and_then() -> None:
        while True:
            await move(lazy, 10_000)
            await trio.sleep(0.1)

    with trio.move_on_after(10):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(now_and_then)
            nursery.start_soon(run_for, 10, *keen)
    assert keen[0].sent == pytest.approx(keen[1].sent, rel=0.01)
    assert sum(mover.sent for mover in keen) > 9 * RATE


async def test_small_messages_do_not_wait_behind_bulk_but_are_charged(autojump_clock):
    shared = Bucket(RATE)
    bulk, talk, waited = Mover(Lane([shared])), Lane([shared]), []

    async def talk_now_and_then() -> None:
        while True:
            await trio.sleep(0.05)
            asked = trio.current_time()
            assert await talk.admit(SMALL) == SMALL
            waited.append(trio.current_time() - asked)

    with trio.move_on_after(10.01):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bulk.run)
            nursery.start_soon(talk_now_and_then)
    assert len(waited) == 200
    assert max(waited) == 0
    assert bulk.sent + 200 * SMALL == pytest.approx(10 * RATE, rel=0.01)


async def test_bulk_in_small_messages_is_bulk(autojump_clock):
    lane = Lane([Bucket(RATE)])
    for _ in range(10 * RATE // 1000):
        await lane.admit(1000)
    assert trio.current_time() - 0 >= 9.5


async def test_who_is_cancelled_has_taken_nothing(autojump_clock):
    shared = Bucket(RATE)
    lanes = [Lane([Bucket(RATE), shared]) for _ in range(5)]
    await move(lanes[0], RATE // 10)
    start = trio.current_time()
    for _ in range(100):
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                for lane in lanes:
                    nursery.start_soon(lane.admit, 1 << 20)
                await trio.testing.wait_all_tasks_blocked()
                scope.cancel()
    await move(lanes[1], RATE)
    assert trio.current_time() - start == pytest.approx(1, abs=0.1)


async def test_one_stream_that_is_cancelled_leaves_its_turn_to_the_next(autojump_clock):
    lane = Lane([Bucket(RATE)])
    await move(lane, RATE // 10)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lane.admit, 1 << 20)
        with trio.move_on_after(0.001):
            await lane.admit(1 << 20)
        with trio.fail_after(0.1):
            assert await lane.admit(1 << 20) == 10_000
