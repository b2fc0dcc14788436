"""Counts and rates, with times given by the test."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.protocols.traffic.meter import Meter


def test_nothing_has_no_rate():
    assert (Meter().total, Meter().rate(5.0)) == (0, 0.0)


@pytest.mark.parametrize("every", [0.01, 0.1, 0.25])
def test_a_steady_flow_shows_its_rate(every):
    meter = Meter()
    for turn in range(int(30 / every)):
        meter.add(int(100_000 * every), turn * every)
    assert meter.total == 3_000_000
    assert meter.rate(30.0) == pytest.approx(100_000, rel=0.15)


def test_a_flow_that_ends_fades():
    meter = Meter()
    meter.add(1_000_000, 0.0)
    rates = [meter.rate(second) for second in range(30)]
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] < 1
    assert meter.rate(1e9) == 0.0


@given(st.lists(st.tuples(st.integers(0, 10**9), st.floats(0, 100)), max_size=50))
def test_the_total_is_exact_and_the_rate_never_more_than_all_at_once(steps):
    meter, now = Meter(), 0.0
    for size, pause in steps:
        now += pause
        meter.add(size, now)
    assert meter.total == sum(size for size, _ in steps)
    assert 0 <= meter.rate(now) <= meter.total
