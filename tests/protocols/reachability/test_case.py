"""What is held of an address, from who said what and when."""

from __future__ import annotations

import pytest

from peershelf.protocols.reachability.case import (
    DOUBT_PAUSE,
    FIRST_PAUSE,
    KEPT,
    LASTING,
    RECHECK,
    Answer,
    Case,
    Outcome,
    Round,
    Standing,
)
from peershelf.protocols.transport import PeerId

REACHED, MISSED, SILENT = Outcome.REACHED, Outcome.NOT_REACHED, Outcome.SILENT


def round_of(*outcomes: Outcome) -> Round:
    """Each said in a network of its own."""
    round_ = Round()
    for number, outcome in enumerate(outcomes):
        round_.take(Answer(PeerId(f"peer {number}"), f"network {number}", outcome, 0.0))
    return round_


@pytest.mark.parametrize(
    ("said", "early", "in_the_end"),
    [
        ([REACHED] * 3, Standing.PUBLIC, Standing.PUBLIC),
        ([REACHED], None, Standing.PUBLIC),
        ([REACHED, SILENT, Outcome.UNPROVEN], None, Standing.PUBLIC),
        ([REACHED, REACHED, MISSED], None, Standing.PUBLIC),
        ([REACHED, MISSED], None, None),
        ([MISSED], None, None),
        ([MISSED, MISSED], None, Standing.PRIVATE),
        ([MISSED] * 3, Standing.PRIVATE, Standing.PRIVATE),
        ([], None, None),
        ([Outcome.UNPROVEN] * 9, None, None),
    ],
)
def test_networks_vote(said, early, in_the_end):
    assert round_of(*said).verdict(over=False) is early
    assert round_of(*said).verdict(over=True) is in_the_end


def test_many_peers_of_one_network_have_one_vote():
    round_ = Round()
    for number in range(20):
        round_.take(Answer(PeerId(str(number)), "one", MISSED, 0.0))
    assert round_.verdict(over=True) is None
    round_.take(Answer(PeerId("honest"), "two", REACHED, 0.0))
    assert round_.verdict(over=True) is None


def test_a_proven_address_is_asked_about_again_after_an_hour():
    case = Case(b"", 0.0)
    assert (case.standing, case.due) == (Standing.UNKNOWN, 0.0)
    case.conclude(round_of(REACHED, REACHED, REACHED), 10.0)
    assert (case.standing, case.due) == (Standing.PUBLIC, 10.0 + RECHECK)


def test_what_few_have_proved_is_asked_about_sooner():
    case = Case(b"", 0.0)
    case.conclude(round_of(REACHED), 10.0)
    assert (case.standing, case.due) == (Standing.PUBLIC, 10.0 + FIRST_PAUSE)


def test_pauses_grow_while_it_is_not_known():
    case, pauses, now = Case(b"", 0.0), [], 0.0
    for _ in range(9):
        case.conclude(round_of(SILENT), now)
        pauses.append(case.due - now)
        now = case.due
    assert pauses == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]


def test_a_proven_address_is_given_up_after_the_third_failure_in_a_row():
    case = Case(b"", 0.0)
    case.conclude(round_of(*[REACHED] * 3), 0.0)
    for _ in range(2):
        case.conclude(round_of(*[MISSED] * 3), 0.0)
        assert (case.standing, case.due) == (Standing.PUBLIC, DOUBT_PAUSE)
    case.conclude(round_of(*[MISSED] * 3), 0.0)
    assert (case.standing, case.due) == (Standing.PRIVATE, FIRST_PAUSE)


def test_an_address_that_comes_and_goes_stays():
    case = Case(b"", 0.0)
    for said in (REACHED, MISSED, MISSED, REACHED, MISSED, MISSED, REACHED):
        case.conclude(round_of(said, said, said), 0.0)
        assert case.standing is Standing.PUBLIC


def test_one_liar_alone_takes_nothing_away():
    case = Case(b"", 0.0)
    case.conclude(round_of(*[REACHED] * 3), 0.0)
    for number in range(100):
        case.conclude(round_of(MISSED), float(number))
    assert case.standing is Standing.PUBLIC


def test_a_proof_lasts_for_some_hours_where_nobody_can_be_asked():
    case = Case(b"", 0.0)
    case.conclude(round_of(*[REACHED] * 3), 0.0)
    case.expire(LASTING)
    assert case.standing is Standing.PUBLIC
    case.expire(LASTING + 1)
    assert case.standing is Standing.UNKNOWN


def test_who_refuses_an_address_is_not_asked_about_it_for_an_hour():
    case, peer = Case(b"", 0.0), PeerId("peer")
    assert case.may_ask(peer, 0.0)
    case.take(Answer(peer, "network", Outcome.REFUSED, 0.0))
    assert not case.may_ask(peer, RECHECK - 1)
    assert case.may_ask(peer, RECHECK)
    case.take(Answer(peer, "network", MISSED, RECHECK))
    assert case.may_ask(peer, RECHECK)


def test_of_answers_the_last_ones_are_kept():
    case = Case(b"", 0.0)
    for number in range(100):
        case.take(Answer(PeerId(str(number)), "network", REACHED, float(number)))
    case.take(Answer(PeerId("90"), "network", MISSED, 100.0))
    assert len(case.answers) == KEPT
    assert list(case.answers)[-1] == "90"
    assert case.answers[PeerId("90")].outcome is MISSED
