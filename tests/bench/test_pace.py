"""The attackers of the bench keep to their rate."""

from __future__ import annotations

import pytest
import trio

from bench.attacks.attack import Pace


@pytest.fixture
def pace():
    return Pace(10)


async def test_events_come_one_by_one(pace, autojump_clock):
    start = trio.current_time()
    for _ in range(21):
        await pace.due()
    assert trio.current_time() - start == pytest.approx(2)
    assert pace.events == 21


async def test_those_who_wait_at_the_same_time_share_the_rate(pace, autojump_clock):
    start = trio.current_time()
    async with trio.open_nursery() as nursery:
        for _ in range(11):
            nursery.start_soon(pace.due)
    assert trio.current_time() - start == pytest.approx(1)


async def test_a_bundle_counts_as_what_is_in_it(pace, autojump_clock):
    start = trio.current_time()
    for _ in range(3):
        await pace.due(20)
    assert trio.current_time() - start == pytest.approx(4)
    assert pace.events == 60


async def test_time_that_was_lost_is_not_made_up_for(pace, autojump_clock):
    await pace.due()
    await trio.sleep(10)
    start = trio.current_time()
    for _ in range(12):
        await pace.due()
    assert trio.current_time() - start == pytest.approx(1)


async def test_a_handshake_that_fails_is_counted(pace):
    with pace.may_be_refused():
        raise ExceptionGroup("refused", [OSError()])
    assert pace.refused == 1
