"""What connections pay for frames without data."""

from __future__ import annotations

import pytest

from peershelf.protocols.libp2p.yamux.limits import YamuxLimits
from peershelf.protocols.libp2p.yamux.shared import Shared
from peershelf.protocols.pacing.debts import Debts
from peershelf.protocols.pacing.toll import Toll

MIB = 1 << 20
LIMITS = YamuxLimits(toll_share=0.1, tolls_share=0.2, toll_ahead=0.05)


@pytest.fixture
def debts() -> Debts:
    return Shared(LIMITS).debts


def in_debt(debts: Debts) -> Toll:
    """A connection that has used up what is free, and is about to have to rest."""
    toll = Toll(debts)
    toll.worked(1_024, 0, 0.0, 0.0)
    toll.charge(0.05, 0.0)
    return toll


def test_work_without_data_is_paid_with_rest(debts):
    toll = in_debt(debts)
    assert toll.rest(0.0) == 0.0
    toll.worked(256, 0, 0.01, 0.0)
    assert toll.rest(0.0) == pytest.approx(0.1)
    assert toll.rest(0.04) == pytest.approx(0.06)
    assert toll.rest(0.1) == pytest.approx(0.0)


def test_who_has_rested_may_go_ahead_again(debts):
    toll = in_debt(debts)
    toll.charge(0.05, 1_000.0)
    assert toll.rest(1_000.0) == 0.0


def test_frames_that_go_with_data_are_free(debts):
    toll = in_debt(debts)
    for _ in range(100):
        toll.worked(20, MIB, 0.01, 0.0)
    assert toll.rest(0.0) == 0.0


def test_data_makes_no_more_free_than_so_much(debts):
    toll = in_debt(debts)
    toll.worked(0, 1_000 * MIB, 0.0, 0.0)
    toll.worked(2_048, 0, 0.02, 0.0)
    assert toll.rest(0.0) == pytest.approx(0.1)


def test_little_data_adds_up(debts):
    toll = in_debt(debts)
    for _ in range(100):
        toll.worked(1, 1_024, 0.01, 0.0)
    assert toll.rest(0.0) == 0.0


def test_many_who_owe_have_one_share_together(debts):
    tolls = [in_debt(debts) for _ in range(10)]
    for toll in tolls:
        toll.charge(0.01, 0.0)
    assert [toll.rest(0.0) for toll in tolls] == [pytest.approx(0.01 / (0.2 / 10))] * 10


def test_who_comes_new_need_not_rest_because_others_do(debts):
    for _ in range(100):
        in_debt(debts).charge(1.0, 0.0)
    toll = Toll(debts)
    toll.charge(0.04, 0.0)
    assert toll.rest(0.0) == 0.0


def test_who_has_left_takes_nothing_from_others(debts):
    others = [in_debt(debts) for _ in range(10)]
    for other in others[:5]:
        other.close()
        other.charge(1.0, 0.0)
    assert len(debts) == 5
    assert debts.rate(0.0) == pytest.approx(0.2 / 5)
