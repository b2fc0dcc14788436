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
