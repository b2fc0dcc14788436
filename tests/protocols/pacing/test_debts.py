"""What is owed is paid with time that passes, at the part of it that a debtor has."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.protocols.pacing.debts import Debts

SHARE, SHARE_ALL, AHEAD = 0.1, 0.15, 0.05
DEBTORS = ("one", "two", "three", "four")
WORK = st.lists(st.tuples(st.sampled_from(DEBTORS), st.floats(0.001, 0.2), st.floats(0.0, 2.0)), max_size=60)
"""Whose, seconds of CPU, and seconds until the next."""


@pytest.fixture
def debts() -> Debts:
    return Debts(share=SHARE, share_all=SHARE_ALL, ahead=AHEAD)


def test_who_owes_no_more_than_one_may_does_not_rest(debts):
    assert debts.rest("one", 0.0) == 0.0
    debts.charge("one", AHEAD, 0.0)
    assert debts.rest("one", 0.0) == 0.0


def test_what_is_more_is_paid_with_rest(debts):
    debts.charge("one", AHEAD + 0.02, 0.0)
    assert debts.rest("one", 0.0) == pytest.approx(0.02 / SHARE)
    assert debts.rest("one", 0.15) == pytest.approx(0.02 / SHARE - 0.15)
    assert debts.rest("one", 0.2) == pytest.approx(0.0)
    debts.charge("one", 0.01, 0.2)
    assert debts.rest("one", 0.2) == pytest.approx(0.01 / SHARE)


def test_all_who_owe_something_have_equal_parts(debts):
    for debtor in DEBTORS:
        debts.charge(debtor, AHEAD + 0.01, 0.0)
    assert [debts.rest(debtor, 0.0) for debtor in DEBTORS] == [pytest.approx(0.01 / (SHARE_ALL / 4))] * 4


def test_others_do_not_make_anybody_rest_who_owes_little(debts):
    for number in range(100):
        debts.charge(number, 1.0, 0.0)
    debts.charge("one", AHEAD, 0.0)
    assert debts.rest("one", 0.0) == 0.0


def test_who_has_paid_or_left_takes_nothing_from_others(debts):
    for debtor in DEBTORS:
        debts.charge(debtor, 1.0, 0.0)
    debts.forget("one")
    assert debts.rate(0.0) == pytest.approx(SHARE_ALL / 3)
    assert debts.rate(1_000.0) == SHARE


def test_where_others_do_not_matter_each_has_a_share():
    debts = Debts(share=SHARE, ahead=AHEAD)
    for debtor in DEBTORS:
        debts.charge(debtor, AHEAD + 0.02, 0.0)
    assert debts.rest("four", 0.0) == pytest.approx(0.02 / SHARE)


def test_who_has_paid_is_forgotten_and_if_nobody_has_the_oldest(debts):
    for number in range(5_000):
        debts.charge(number, 0.001, float(number))
    assert len(debts) <= 1_024
    for number in range(5_000, 8_000):
        debts.charge(number, 1.0, 5_000.0)
    assert len(debts) <= 1_024
    assert debts.rest(7_999, 5_000.0) > 0
    assert debts.rest(5_000, 5_000.0) == 0


@given(WORK)
def test_nobody_takes_more_than_a_share_and_what_is_ahead(work):
    """Each comes when it has rested. What its last work takes is not known before."""
    debts = Debts(share=SHARE, share_all=SHARE_ALL, ahead=AHEAD)
    took: Counter[str] = Counter()
    now = 0.0
    for debtor, seconds, pause in work:
        if debts.rest(debtor, now) <= 0:
            debts.charge(debtor, seconds, now)
            took[debtor] += seconds
        now += pause
    assert all(seconds <= AHEAD + 0.2 + SHARE * now + 1e-6 for seconds in took.values())


@given(WORK, st.sampled_from(DEBTORS), st.integers(0, 40))
def test_rest_is_as_long_as_it_takes_while_others_come_and_go(work, debtor, others):
    """Who rests for as long as it is told, and asks again, gets through."""
    debts = Debts(share=SHARE, share_all=SHARE_ALL, ahead=AHEAD)
    now = 0.0
    for number in range(others):
        debts.charge(number, 1.0, now)
    owed = 0.0
    for whose, seconds, pause in work:
        debts.charge(whose, seconds, now)
        owed += seconds if whose == debtor else 0.0
        now += pause
    least = SHARE_ALL / (others + len(DEBTORS))
    began = now
    while (rest := debts.rest(debtor, now)) > 1e-9:
        now += rest
    assert now - began <= max(0.0, owed - AHEAD) / least + 1e-6
