"""How receive windows shrink, grow, and share one budget."""

from __future__ import annotations

import pytest

from peershelf.protocols.libp2p.yamux.frames import INITIAL_WINDOW
from peershelf.protocols.libp2p.yamux.limits import YamuxLimits
from peershelf.protocols.libp2p.yamux.unread import SharedBudget
from peershelf.protocols.libp2p.yamux.window import ReceiveBudget, ReceiveWindow

KIB, MIB = 1024, 1024 * 1024
SLOW, FAST = 10.0, 0.001
ROUND_TRIP = 0.1


def budget_of(limits: YamuxLimits) -> ReceiveBudget:
    return ReceiveBudget(limits, SharedBudget(limits.unread_in_all))


def make(**limits):
    budget = budget_of(YamuxLimits(**limits))
    return budget, ReceiveWindow(budget, 0.0)


def pass_through(window, size, now, round_trip=ROUND_TRIP):
    """Let `size` bytes come and be read; return the credit that this brings."""
    assert window.arrived(size)
    window.read(size)
    return window.renew(now, round_trip)


def test_credit_is_returned_at_half_a_window_and_not_before():
    _, window = make()
    assert pass_through(window, INITIAL_WINDOW // 2 - 1, 1.0) == 0
    assert pass_through(window, 1, 1.0) == INITIAL_WINDOW // 2
    assert window.credit == INITIAL_WINDOW


def test_a_whole_window_is_under_way_in_a_round_trip_however_reads_divide_it():
    """Of a peer that sends all that it may at once, each burst is what was granted during the one before."""
    _, window = make(window=INITIAL_WINDOW)
    burst = INITIAL_WINDOW
    for turn in range(10):
        granted = 0
        while burst:
            part = min(burst, 10_000)
            granted += pass_through(window, part, turn * ROUND_TRIP)
            burst -= part
        assert granted == INITIAL_WINDOW
        burst = granted


def test_a_slow_reader_returns_credit_every_few_seconds():
    _, window = make()
    part = INITIAL_WINDOW // 16
    assert pass_through(window, part - 1, SLOW) == 0
    assert pass_through(window, 1, SLOW) == part
    assert pass_through(window, part, SLOW + 1.9) == 0
    assert pass_through(window, part, SLOW + 2, 10.0) == 2 * part
    assert window.size == INITIAL_WINDOW


def test_bytes_that_are_not_read_bring_no_credit():
    _, window = make()
    window.arrived(INITIAL_WINDOW)
    window.read(1000)
    assert window.renew(SLOW, ROUND_TRIP) == 0
    assert window.credit == 0


def test_a_window_doubles_while_half_of_it_is_read_within_two_round_trips():
    _, window = make()
    assert pass_through(window, INITIAL_WINDOW // 2, ROUND_TRIP) == INITIAL_WINDOW // 2 + INITIAL_WINDOW
    assert window.size == 2 * INITIAL_WINDOW
    assert pass_through(window, window.size // 2, 2 * ROUND_TRIP) > 0
    assert window.size == 4 * INITIAL_WINDOW


@pytest.mark.parametrize(("now", "round_trip"), [(SLOW, ROUND_TRIP), (FAST, None), (0.021, 0.0001)])
def test_a_window_stays_where_credit_does_not_hold_the_peer_up(now, round_trip):
    _, window = make()
    assert pass_through(window, INITIAL_WINDOW // 2, now, round_trip) == INITIAL_WINDOW // 2
    assert window.size == INITIAL_WINDOW


def test_a_round_trip_counts_as_long_as_event_loops_take():
    _, window = make()
    assert pass_through(window, INITIAL_WINDOW // 2, 0.019, 0.0001) > INITIAL_WINDOW // 2
    assert window.size == 2 * INITIAL_WINDOW


def test_a_window_grows_to_its_limit_and_no_further():
    _, window = make(window=MIB)
    for turn in range(10):
        pass_through(window, window.size // 2, turn * FAST)
    assert window.size == MIB


def test_windows_of_one_connection_grow_within_one_budget():
    limits = YamuxLimits()
    budget = budget_of(limits)
    windows = [ReceiveWindow(budget, 0.0) for _ in range(8)]
    for turn in range(12):
        for window in windows:
            pass_through(window, window.size // 2, turn * FAST)
            assert budget.credit + budget.unread <= limits.grown_windows
    assert max(window.size for window in windows) > INITIAL_WINDOW


def test_a_new_stream_starts_with_what_earlier_ones_needed():
    budget, window = make()
    pass_through(window, INITIAL_WINDOW // 2, FAST)
    window.end()
    later = ReceiveWindow(budget, 0.0)
    assert later.greet() == INITIAL_WINDOW
    assert later.credit == 2 * INITIAL_WINDOW
    assert ReceiveWindow(budget_of(YamuxLimits()), 0.0).greet() == 0


def test_too_much_unread_on_all_streams_together_is_noticed():
    budget, first = make(unread=300 * KIB)
    second = ReceiveWindow(budget, 0.0)
    assert first.arrived(256 * KIB)
    assert second.arrived(44 * KIB)
    assert not second.arrived(1)


def test_a_stream_that_is_dropped_gives_everything_back():
    budget, window = make()
    window.arrived(1000)
    window.drop()
    assert (budget.credit, budget.unread) == (0, 0)


def test_a_stream_that_ended_still_holds_what_is_unread():
    budget, window = make()
    window.arrived(1000)
    window.end()
    assert (budget.credit, budget.unread) == (0, 1000)
    window.read(1000)
    assert budget.unread == 0
