"""What is kept of others' values, for how long, and who gives way."""

from __future__ import annotations

import random

import pytest
from ipns_records import ed25519
from kad_world import new_peer

from peershelf.protocols.routing.kad.shares import Shares
from peershelf.protocols.routing.kad.values import VALID, Values
from peershelf.protocols.routing.records.value import Value

RNG = random.Random(3)
HONEST, FLOODER = new_peer(RNG), new_peer(RNG)
OWNER = ed25519()


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def value(size: int = 1_000, rank: int = 0, **more: float) -> Value:
    return Value(bytes(size), (rank, 0, bytes([size % 256])), **more)


def key(number: int) -> bytes:
    return b"/ipns/" + number.to_bytes(4, "big")


@pytest.fixture
def values() -> Values:
    return Values(Clock(), most=100)


def test_only_a_better_value_takes_the_place_of_one(values):
    first, worse, better = value(rank=2), value(rank=1), value(rank=3)
    assert values.put(HONEST, key(0), first, 0.0) is first
    assert values.put(FLOODER, key(0), worse, 0.0) is first
    assert values.put(FLOODER, key(0), better, 0.0) is better
    assert values.get(key(0), 0.0).value is better
    assert len(values) == 1


def test_a_value_ends_after_48_hours_unless_it_is_told_again(values):
    values.put(HONEST, key(0), value(), 0.0)
    values.put(HONEST, key(1), value(), 0.0)
    values.put(HONEST, key(0), value(), 1_000.0)
    assert values.get(key(1), VALID - 1) is not None
    assert values.get(key(1), VALID) is None
    assert values.get(key(0), VALID) is not None
    assert values.get(key(0), VALID + 1_000) is None
    values.put(HONEST, key(2), value(), VALID + 1_000)
    assert len(values) == 1


def test_a_value_ends_when_it_says_and_then_a_worse_one_is_taken():
    clock = Clock()
    values = Values(clock)
    values.put(HONEST, key(0), value(rank=5, ends=clock.now + 60), 0.0)
    assert values.get(key(0), 0.0) is not None
    clock.now += 61
    assert values.get(key(0), 0.0) is None
    worse = value(rank=1)
    assert values.put(HONEST, key(0), worse, 0.0) is worse
    assert len(values) == 1


@pytest.mark.parametrize("size", [1, 1_024, 10_240], ids=str)
def test_a_flood_takes_what_there_is_and_leaves_others_theirs(values, size):
    values.put(HONEST, key(0), value(), 0.0)
    values.put(HONEST, key(1), value(10_000), 0.0)
    for number in range(2, 500):
        values.put(FLOODER, key(number), value(size), 0.0)
        assert len(values) * max(1, size // 1_024) <= 100 + 10
    assert values.get(key(0), 0.0) is not None
    assert values.get(key(1), 0.0) is not None
    assert values.get(key(499), 0.0) is not None
    assert values.get(key(2), 0.0) is None


@pytest.mark.parametrize("flooded_before", [False, True])
def test_a_flood_takes_no_value_along_that_others_have_told(values, flooded_before):
    """Whoever passes on a value of another does not own it, whoever came first."""
    first, then = (FLOODER, HONEST) if flooded_before else (HONEST, FLOODER)
    for number in range(1, 10):
        values.put(FLOODER, key(number), value(), 0.0)
    values.put(first, key(0), value(), 0.0)
    values.put(then, key(0), value(), 0.0)
    for number in range(10, 500):
        values.put(FLOODER, key(number), value(), 0.0)
    assert values.get(key(0), 0.0) is not None


def test_nothing_is_left_of_who_has_nothing_left(values):
    for number in range(1_000):
        values.put(new_peer(RNG), key(number % 7), value(rank=number), 0.0)
    values.put(HONEST, key(7), value(), 2 * VALID)
    assert list(values._owned) == [HONEST]
    assert values._units == 1


def test_shares_say_how_many_each_has():
    shares = Shares()
    shares.add(HONEST)
    shares.add(HONEST)
    shares.remove(HONEST)
    assert (shares.of(HONEST), shares.of(FLOODER)) == (1, 0)
