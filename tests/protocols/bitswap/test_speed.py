"""Bytes per second from one peer, while something is on order."""

from __future__ import annotations

import pytest

from peershelf.protocols.bitswap.speed import Speed


def feed(speed: Speed, rate: float, start: float, seconds: float, step: float = 0.1) -> float:
    """Have bytes come evenly; return the time of the last of them."""
    now = start
    while now < start + seconds:
        now += step
        speed.heard(int(rate * step), now)
    return now


def test_nothing_is_known_before_the_first_bytes():
    speed = Speed()
    speed.start(0.0)
    assert speed.rate(5.0) == 0


def test_an_even_flow_is_measured():
    speed = Speed()
    speed.start(0.0)
    now = feed(speed, 50_000, 0.0, 10)
    assert speed.rate(now) == pytest.approx(50_000, rel=0.01)


def test_what_was_long_ago_counts_for_little():
    speed = Speed()
    speed.start(0.0)
    now = feed(speed, 1_000_000, 0.0, 10)
    now = feed(speed, 10_000, now, 8)
    assert speed.rate(now) == pytest.approx(10_000, rel=0.5)


def test_time_without_orders_does_not_count():
    speed = Speed()
    speed.start(0.0)
    now = feed(speed, 50_000, 0.0, 2)
    speed.stop()
    speed.heard(1_000_000, now + 50)
    speed.start(now + 100)
    assert speed.rate(now + 100) == pytest.approx(50_000, rel=0.01)


def test_silence_lowers_it_while_it_lasts():
    speed = Speed()
    speed.start(0.0)
    now = feed(speed, 50_000, 0.0, 1)
    assert speed.rate(now + 9) < 6_000


def test_a_short_silence_changes_little():
    speed = Speed()
    speed.start(0.0)
    now = feed(speed, 1_000_000, 0.0, 5)
    assert speed.rate(now + 0.2) == pytest.approx(1_000_000, rel=0.2)


def test_who_breaks_down_is_known_for_it_within_half_a_second():
    speed = Speed()
    speed.start(0.0)
    now = feed(speed, 1_000_000, 0.0, 10)
    now = feed(speed, 10_000, now, 0.5)
    assert speed.rate(now) <= 500_000
    now = feed(speed, 10_000, now, 0.5)
    assert speed.rate(now) <= 100_000


def test_who_broke_down_for_a_moment_is_soon_as_fast_as_before():
    speed = Speed()
    speed.start(0.0)
    now = feed(speed, 1_000_000, 0.0, 10)
    now = feed(speed, 10_000, now, 1)
    now = feed(speed, 1_000_000, now, 1)
    assert speed.rate(now) >= 600_000


def test_an_old_rate_counts_for_less_than_what_comes_now():
    speed = Speed()
    speed.start(0.0)
    now = feed(speed, 10_000, 0.0, 5)
    speed.stop()
    speed.start(now + 60)
    now = feed(speed, 1_000_000, now + 60, 0.3)
    assert speed.rate(now) >= 600_000


def test_the_age_of_a_rate_is_the_time_without_orders():
    speed = Speed()
    assert speed.age(7.0) == 0
    speed.start(0.0)
    now = feed(speed, 50_000, 0.0, 1)
    assert speed.age(now + 1) == 0
    speed.stop()
    assert speed.age(now + 3) == pytest.approx(3)
