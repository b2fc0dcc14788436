"""Contenders side by side: when each starts, who wins, and what becomes of the others."""

from __future__ import annotations

import pytest
import trio


@pytest.fixture
def race():
    """`await race(*contenders)` with a head start of 1 s; `race.discarded` has what came too late."""
    from peershelf.protocols.libp2p.race import Race

    async def run(*contenders):
        return await Race(1.0, run.discarded.append).run(contenders)

    run.discarded = []
    return run


class Contender:
    """Takes `seconds` and returns `result`; notes when it started and whether it was cancelled."""

    def __init__(self, seconds, result):
        self.seconds, self.result = seconds, result
        self.started = None
        self.cancelled = False

    async def __call__(self):
        self.started = trio.current_time()
        try:
            await trio.sleep(self.seconds)
        except trio.Cancelled:
            self.cancelled = True
            raise
        return self.result


async def test_the_best_one_wins_alone_where_it_is_quick(race, autojump_clock):
    best, other = Contender(0.5, "best"), Contender(0, "other")
    assert await race(best, other) == "best"
    assert other.started is None


async def test_the_next_one_starts_when_the_head_start_is_over(race, autojump_clock):
    start = trio.current_time()
    slow, quick = Contender(100, "slow"), Contender(0.5, "quick")
    assert await race(slow, quick) == "quick"
    assert quick.started - start == pytest.approx(1)
    assert trio.current_time() - start == pytest.approx(1.5)
    assert slow.cancelled


async def test_the_next_one_starts_as_soon_as_the_one_before_has_failed(race, autojump_clock):
    start = trio.current_time()
    failing, good = Contender(0.2, None), Contender(0.1, "good")
    assert await race(failing, good) == "good"
    assert good.started - start == pytest.approx(0.2)


async def test_a_slow_one_can_still_win_when_all_after_it_have_failed(race, autojump_clock):
    assert await race(Contender(5, "late"), Contender(0, None), Contender(0, None)) == "late"


async def test_when_all_fail_there_is_no_winner(race, autojump_clock):
    assert await race(Contender(2, None), Contender(0, None)) is None
    assert await race() is None


async def test_what_comes_home_after_the_winner_is_discarded(race):
    ready, both = trio.Event(), trio.Event()

    async def unstoppable(result):
        with trio.CancelScope(shield=True):
            await ready.wait()
            both.set()
        return result

    async def first():
        return await unstoppable("first")

    async def second():
        ready.set()
        return await unstoppable("second")

    from peershelf.protocols.libp2p.race import Race

    winner = await Race(0, race.discarded.append).run([first, second])
    assert {winner, *race.discarded} == {"first", "second"}
    assert len(race.discarded) == 1


async def test_a_winner_that_nobody_waits_for_any_more_is_discarded(race):
    with trio.CancelScope() as scope:

        async def wins_too_late():
            scope.cancel()
            return "winner"

        await race(wins_too_late)
    assert scope.cancelled_caught
    assert race.discarded == ["winner"]
