"""Whose address is dialed next, where more want to be than may be at a time."""

from __future__ import annotations

import pytest
import trio

from peershelf.protocols.errors import DialFailed
from peershelf.protocols.libp2p.dial_places import PATIENCE, DialPlaces


@pytest.fixture
def hold(nursery):
    """`hold(places, dial)` dials an address that does not answer; returns what it ends with, as a list."""

    def start(places, dial):
        outcome = []

        async def dialing():
            try:
                async with places.place(dial):
                    outcome.append(trio.current_time())
                    await trio.sleep_forever()
            except DialFailed as error:
                outcome.append(str(error))

        nursery.start_soon(dialing)
        return outcome

    return start


async def test_the_oldest_gives_way_to_a_dial_without_a_place_after_some_patience(
    autojump_clock, hold, nursery
):
    places = DialPlaces(2)
    began = trio.current_time()
    first = hold(places, "one")
    await trio.sleep(1)
    second = hold(places, "one")
    await trio.testing.wait_all_tasks_blocked()
    third = hold(places, "other")
    await trio.sleep(PATIENCE)
    assert first == [began, f"no answer for {PATIENCE:.3g} s, and others waited"]
    assert second == [began + 1]
    assert third == [began + PATIENCE]
    assert places.taken == 2
    nursery.cancel_scope.cancel()


async def test_nobody_gives_way_to_a_dial_that_has_a_place(autojump_clock, hold, nursery):
    places = DialPlaces(2)
    outcomes = [hold(places, "one") for _ in range(3)]
    await trio.sleep(10 * PATIENCE)
    assert sorted(map(len, outcomes)) == [0, 1, 1]
    nursery.cancel_scope.cancel()


async def test_a_free_place_goes_to_who_has_the_fewest(autojump_clock, hold, nursery):
    places = DialPlaces(2)
    hold(places, "many")
    await trio.sleep(1)
    async with places.place("many"):
        waiting, newcomer = hold(places, "many"), hold(places, "new")
        await trio.sleep(1)
    await trio.testing.wait_all_tasks_blocked()
    assert (len(waiting), len(newcomer)) == (0, 1)
    nursery.cancel_scope.cancel()


async def test_who_is_cancelled_while_it_waits_is_in_nobodys_way(autojump_clock, hold, nursery):
    places = DialPlaces(1)
    async with places.place("one"):
        with trio.move_on_after(1):
            async with places.place("other"):
                raise AssertionError("there was no place")
        late = hold(places, "late")
        await trio.testing.wait_all_tasks_blocked()
    await trio.testing.wait_all_tasks_blocked()
    assert len(late) == 1
    assert places.taken == 1
    nursery.cancel_scope.cancel()
