"""When somebody who fails is tried again."""

from __future__ import annotations

import pytest

from peershelf.protocols.routing.delegated.pausing import LONGEST, Pause


def test_the_first_failure_has_no_pause_and_later_ones_have_growing_ones() -> None:
    pause, now, waited = Pause(), 100.0, []
    for _ in range(10):
        waited.append(pause.failed(now))
        now += waited[-1]
        assert not pause.lasts(now)
    assert waited[:5] == pytest.approx([0, 5, 10, 20, 40])
    assert waited[-1] == LONGEST


def test_what_fails_together_is_one_failure() -> None:
    pause = Pause()
    pause.failed(0)
    assert pause.failed(0) == 5
    assert [pause.failed(1) for _ in range(9)] == [4] * 9
    assert pause.lasts(4.9)
    assert not pause.lasts(5)


def test_a_success_starts_over() -> None:
    pause = Pause()
    for _ in range(3):
        pause.failed(0)
    pause.succeeded()
    assert not pause.lasts(0)
    assert [pause.failed(0), pause.failed(0)] == [0, 5]
