"""Rates by booking, with times given by the test."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.protocols.traffic.bucket import LARGEST_PORTION, LEAST_PORTION, SLACK, Bucket

RATE = 1_000_000
STEPS = st.lists(st.tuples(st.floats(0, 0.2), st.integers(1, 10_000)), min_size=1, max_size=60)


def test_what_is_booked_goes_when_what_was_booked_before_has_had_its_time():
    bucket = Bucket(RATE)
    assert bucket.book(500_000, 0.0) == -SLACK
    assert bucket.book(1, 0.0) == pytest.approx(0.5 - SLACK)
    assert bucket.book(1, 0.0) == pytest.approx(0.5 - SLACK + 1e-6)


def test_an_idle_line_saves_nothing_up():
    bucket = Bucket(RATE)
    bucket.book(1, 0.0)
    assert bucket.book(500_000, 100.0) == 100.0 - SLACK
    assert bucket.book(1, 100.0) == pytest.approx(100.5 - SLACK)


def test_what_is_given_back_is_there_for_the_next():
    bucket = Bucket(RATE)
    bucket.book(500_000, 0.0)
    bucket.give_back(400_000)
    assert bucket.book(1, 0.0) == pytest.approx(0.1 - SLACK)


@given(STEPS)
def test_no_span_of_time_sees_more_than_the_rate_allows(steps):
    bucket, now, went = Bucket(RATE), 0.0, []
    for pause, size in steps:
        now += pause
        now = max(now, bucket.book(size, now))
        went.append((now, size))
    for first, (start, _) in enumerate(went):
        for last in range(first, len(went)):
            span, portion = went[last][0] - start, went[last][1]
            assert sum(size for _, size in went[first : last + 1]) <= RATE * (span + SLACK) + portion + 1


@given(STEPS)
def test_somebody_who_always_has_something_to_send_gets_all_of_the_rate(steps):
    bucket, now, sent = Bucket(RATE), 0.0, 0
    for late, size in steps:
        start = bucket.book(size, now)
        if start > now:
            # Woken up late, but by no more than the slack.
            now = start + min(late, SLACK / 2)
        sent += size
    assert sent >= RATE * (now - SLACK / 2) - 1


@given(STEPS)
def test_what_hurries_takes_its_time_from_the_others(steps):
    bucket, now, hurried, booked = Bucket(RATE), 0.0, 0, 0
    for pause, size in steps:
        now += pause / 20
        if bucket.may_hurry(now):
            bucket.hurry(size, now)
            hurried += size
        else:
            now = max(now, bucket.book(size, now))
            booked += size
    assert hurried + booked <= RATE * (now + SLACK) + hurried
    assert bucket.book(1, now) >= (hurried + booked) / RATE - SLACK - 1e-6


def test_only_a_share_may_hurry():
    bucket, sent = Bucket(RATE), 0
    for millisecond in range(10_000):
        if bucket.may_hurry(millisecond / 1000):
            bucket.hurry(1_000, millisecond / 1000)
            sent += 1_000
    assert sent == pytest.approx(0.25 * RATE * 10, rel=0.02)


@pytest.mark.parametrize(
    ("rate", "portion"), [(1_000, LEAST_PORTION), (1_000_000, 10_000), (10**9, LARGEST_PORTION)]
)
def test_a_portion_is_a_hundredth_of_a_second_within_bounds(rate, portion):
    assert Bucket(rate).portion == portion


@pytest.mark.parametrize("rate", [100_000, 200_000, 400_000])
def test_on_a_slow_line_too_frames_and_headers_add_little_to_a_portion(rate):
    yamux, noise, tcp = 12, 18, 52
    assert yamux + noise + tcp < 0.025 * Bucket(rate).portion
