"""How long somebody is left alone who did not do what was expected."""

from __future__ import annotations

from itertools import pairwise

from peershelf.protocols.bitswap.limits import BitswapLimits
from peershelf.protocols.bitswap.rest import Rest

LIMITS = BitswapLimits(first_answer=1.0, longest_rest=10.0)


def lengths(rest: Rest, count: int) -> list[float]:
    """How long each of so many rests is, each beginning when the one before it ends."""
    starts = [0.0]
    for _ in range(count):
        starts.append(rest.begin(starts[-1]))
    return [end - start for start, end in pairwise(starts)]


def test_each_rest_is_longer_up_to_the_longest():
    assert lengths(Rest(LIMITS), 5) == [2, 4, 8, 10, 10]


def test_a_peer_that_is_silent_for_hours_is_left_alone_as_long_as_ever():
    assert set(lengths(Rest(LIMITS), 2_000)[3:]) == {10}


def test_a_rest_that_runs_is_not_prolonged():
    rest = Rest(LIMITS)
    assert rest.begin(0.0) == rest.begin(1.0) == 2.0
    assert not rest.is_over(1.9)
    assert rest.is_over(2.0)


def test_who_does_what_was_expected_starts_afresh():
    rest = Rest(LIMITS)
    rest.begin(rest.begin(0.0))
    assert rest.is_deserved
    rest.end()
    assert not rest.is_deserved
    assert rest.is_over(2.0)
    assert lengths(rest, 1) == [2]
