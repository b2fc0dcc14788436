"""How many turns the line is said to need, with times given by the test."""

from __future__ import annotations

import pytest

from peershelf.protocols.bitswap import BitswapLimits
from peershelf.protocols.bitswap.ledger import Ledger
from peershelf.protocols.bitswap.turn import Turn
from peershelf.protocols.bitswap.uplink import Uplink
from peershelf.protocols.transport import PeerId

MIB = 1024 * 1024
LIMITS = BitswapLimits()


def turn(name="peer"):
    return Turn(PeerId(name), (), MIB, Ledger(LIMITS))


def serve(uplink, start, seconds, *, turns=1):
    """Turns one after the other that take so long each; returns when the last has ended."""
    for _ in range(turns):
        one = turn()
        uplink.started(one, start)
        start += seconds
        uplink.ended(one, start, sent=True)
    return start


def fill(uplink, now):
    """Start turns for as long as there is room; returns how many."""
    started = 0
    while uplink.has_room(now) and started < 100:
        uplink.started(turn(f"{started}"), now)
        started += 1
    return started


def test_before_anything_is_known_a_few_turns_fill_the_line():
    uplink = Uplink(LIMITS)
    assert fill(uplink, 0.0) == 4
    assert uplink.room_at(0.0) == pytest.approx(0.4)
    assert not uplink.has_room(0.39)
    assert uplink.has_room(0.41)


def test_on_a_slow_line_turns_count_for_as_long_as_it_needs_for_them():
    uplink = Uplink(LIMITS)
    now = serve(uplink, 0.0, 10.0, turns=3)
    # Twenty seconds' worth a full window, or more.
    assert fill(uplink, now) >= 2
    assert not uplink.has_room(now + 20.0)


def test_one_quick_turn_shows_that_the_slow_ones_are_slow_themselves():
    uplink = Uplink(LIMITS)
    now = serve(uplink, 0.0, 52.0, turns=10)
    fill(uplink, now)
    assert not uplink.has_room(now + 30)
    now = serve(uplink, now + 30, 0.05)
    assert uplink.has_room(now)
    assert fill(uplink, now) >= 4


def test_a_turn_that_is_given_up_makes_room_and_says_nothing_of_the_line():
    uplink = Uplink(LIMITS)
    turns = [turn(f"{number}") for number in range(4)]
    for one in turns:
        uplink.started(one, 0.0)
    uplink.ended(turns[0], 0.0, sent=False)
    assert uplink.has_room(0.0)
    assert uplink.room_at(0.0) == pytest.approx(0.4)
