"""Asking: whom, for what, and whom else when they do not answer as hoped."""

from __future__ import annotations

import pytest
from asking import SIZE, Asking
from named import A, B, cid_of, cids_of

from peershelf.protocols.bitswap.limits import BitswapLimits
from peershelf.protocols.bitswap.requester import Verdict


def both_have_it_and_one_is_asked() -> Asking:
    """Of two peers that say they have the one block that is wanted, A was asked for it, being the first."""
    asking = Asking(A, B)
    asking.session(cid_of(1))
    asking.told(A), asking.told(B)
    asking.says(A, cid_of(1), have=True)
    asking.told(A)
    asking.says(B, cid_of(1), have=True)
    return asking


def test_the_only_peer_is_asked_for_the_block_at_once():
    asking = Asking(A)
    asking.session(cid_of(1))
    asking.requester.decide(0.0)
    entries, full = asking.requester.take_wants(A, 10)
    assert [(entry.cid, entry.have_only, entry.send_dont_have) for entry in entries] == [
        (cid_of(1), False, True)
    ]
    assert not full


def test_several_unknown_peers_are_asked_whether_they_have_it():
    asking = Asking(A, B)
    asking.session(cid_of(1))
    assert asking.told(A) == asking.told(B) == {cid_of(1): "have"}


def test_whoever_says_it_has_the_block_is_asked_for_it():
    asking = Asking(A, B)
    asking.session(cid_of(1))
    asking.told(A), asking.told(B)
    asking.says(A, cid_of(1), have=False)
    assert asking.told(B) == {}
    asking.says(B, cid_of(1), have=True)
    assert asking.told(B) == {cid_of(1): "block"}
    assert asking.told(A) == {}


def test_a_peer_that_has_delivered_is_asked_at_once_by_the_next_session():
    asking = Asking(A)
    asking.session(cid_of(1))
    asking.told(A)
    asking.sends(A, cid_of(1))
    asking.requester.peer_connected(B, asking.now)
    asking.session(cid_of(2))
    assert asking.told(A) == {cid_of(2): "block"}
    assert asking.told(B) == {cid_of(2): "have"}


def test_a_peer_that_had_everything_so_far_is_asked_for_the_rest_at_once():
    asking = Asking(A, B)
    session = asking.session(cid_of(1))
    asking.told(A), asking.told(B)
    asking.says(A, cid_of(1), have=True)
    asking.says(B, cid_of(1), have=False)
    asking.requester.want(session, [cid_of(2)])
    assert asking.told(A) == {cid_of(1): "block", cid_of(2): "block"}
    assert asking.told(B) == {cid_of(2): "have"}


def test_a_peer_that_lacks_something_is_told_the_rest_of_the_session():
    asking = Asking(A, B, limits=BitswapLimits(window_peer=1))
    asking.session(*cids_of(3))
    asking.told(A), asking.told(B)
    asking.says(A, cid_of(0), have=True)
    assert asking.asked(A) == [cid_of(0)]
    asking.says(A, cid_of(0), have=False)
    asking.requester.want(asking.session(), [])
    told = asking.told(A)
    assert set(told) <= {cid_of(1), cid_of(2)}
    asking.says(A, cid_of(2), have=True)
    assert asking.asked(A) == [cid_of(2)]


def test_who_was_alone_is_told_the_waiting_wants_when_another_comes():
    asking = Asking(A, limits=BitswapLimits(window_peer=1))
    asking.session(*cids_of(3))
    assert asking.told(A) == {cid_of(0): "block"}
    asking.requester.peer_connected(B, 0.0)
    assert asking.told(A) == {cid_of(1): "have", cid_of(2): "have"}
    assert asking.told(B) == dict.fromkeys(cids_of(3), "have")


def test_a_second_peer_is_asked_within_a_second_of_silence():
    asking = Asking(A, B)
    asking.session(cid_of(1))
    asking.told(A), asking.told(B)
    asking.says(A, cid_of(1), have=True)
    asking.says(B, cid_of(1), have=True)
    _first, second = (A, B) if asking.asked(A) else (B, A)
    assert asking.asked(second) == []
    asking.passes(1.0)
    assert asking.asked(second) == [cid_of(1)]


def test_a_peer_that_left_and_came_back_is_replaced_as_well():
    asking = Asking(A)
    asking.session(cid_of(1))
    assert asking.asked(A) == [cid_of(1)]
    asking.requester.peer_disconnected(A)
    asking.requester.peer_connected(A, asking.now)
    assert asking.asked(A) == [cid_of(1)]
    asking.requester.peer_connected(B, asking.now)
    asking.told(B)
    asking.says(B, cid_of(1), have=True)
    asking.passes(1.0)
    assert asking.asked(B) == [cid_of(1)]


def test_a_silent_peer_makes_the_want_known_to_everyone():
    asking = Asking(A)
    asking.session(cid_of(1))
    asking.told(A)
    asking.sends(A, cid_of(1))
    asking.requester.peer_connected(B, 0.0)
    asking.session(cid_of(2))
    asking.told(A), asking.told(B)
    asking.passes(1.0)
    asking.says(B, cid_of(2), have=True)
    assert asking.asked(B) == [cid_of(2)]


def test_silence_is_measured_by_the_peers_own_latency():
    asking = Asking(A)
    asking.session(*cids_of(4))
    for number in range(3):
        asking.told(A)
        asking.now += 0.05
        asking.sends(A, cid_of(number))
    asking.told(A)
    asking.requester.peer_connected(B, asking.now)
    asking.told(B)
    asking.says(B, cid_of(3), have=True)
    asking.passes(0.3)
    assert asking.asked(B) == [cid_of(3)]


def test_a_peer_that_is_sending_is_not_silent():
    asking = both_have_it_and_one_is_asked()
    for _ in range(15):
        asking.passes(0.1)
        asking.requester.heard(A, asking.now, 2_000)
    assert asking.asked(B) == []


def test_a_peer_that_only_talks_is_not_sending():
    asking = both_have_it_and_one_is_asked()
    for _ in range(3):
        asking.passes(0.1)
        asking.requester.heard(A, asking.now, 2_000)
        asking.requester.talked(A, 1_990)
    assert asking.asked(B) == [cid_of(1)]


def test_a_peer_that_trickles_is_overdue_all_the_same():
    asking = both_have_it_and_one_is_asked()
    for _ in range(50):
        asking.passes(0.1)
        asking.requester.heard(A, asking.now)
    assert asking.asked(B) == [cid_of(1)]


def test_a_late_answer_counts_and_cancels_at_the_second_peer():
    asking = Asking(A, B)
    session = asking.session(cid_of(1))
    asking.told(A), asking.told(B)
    asking.says(A, cid_of(1), have=True)
    asking.told(A)
    asking.says(B, cid_of(1), have=True)
    asking.passes(1.0)
    assert asking.asked(B) == [cid_of(1)]
    assert asking.sends(A, cid_of(1)) == (Verdict.WANTED, [session])
    assert asking.told(B) == {cid_of(1): "cancel"}
    assert asking.told(A) == {}


@pytest.mark.parametrize("how", ["denies", "leaves"])
def test_another_peer_is_asked_when_the_first(how):
    asking = both_have_it_and_one_is_asked()
    if how == "denies":
        asking.says(A, cid_of(1), have=False)
    else:
        asking.requester.peer_disconnected(A)
    assert asking.asked(B) == [cid_of(1)]


def test_a_peer_that_comes_later_is_asked_too():
    asking = Asking()
    asking.session(cid_of(1))
    asking.requester.decide(0.0)
    asking.requester.peer_connected(A, 0.0)
    assert asking.told(A) == {cid_of(1): "block"}


def test_who_was_silent_is_asked_for_the_rest_when_what_it_kept_is_here():
    asking = Asking(A, limits=BitswapLimits(window_peer=2))
    asking.session(*cids_of(3))
    assert asking.asked(A) == cids_of(2)
    asking.passes(20)
    for cid in cids_of(2):
        asking.requester.block_found(cid.multihash, SIZE, asking.now)
    assert asking.asked(A) == [cid_of(2)]


def test_a_session_whose_consumer_takes_nothing_keeps_no_block_from_another():
    asking = Asking(A, B, limits=BitswapLimits(session_undelivered=SIZE))
    full = asking.session(cid_of(1))
    asking.told(A), asking.told(B)
    asking.says(A, cid_of(1), have=True)
    asking.told(A)
    asking.sends(A, cid_of(1))
    asking.requester.want(full, [cid_of(2)])
    other = asking.session(cid_of(3))
    asking.told(A), asking.told(B)
    asking.says(A, cid_of(3), have=False)
    asking.says(B, cid_of(3), have=True)
    asking.told(B)
    asking.sends(B, cid_of(3))
    asking.requester.consumed(other, SIZE)
    asking.requester.want(other, [cid_of(2)])
    assert asking.asked(B) == [cid_of(2)]
    assert asking.told(A) == {cid_of(3): "cancel", cid_of(2): "have"}
    asking.says(B, cid_of(2), have=False)
    asking.says(A, cid_of(2), have=True)
    assert asking.told(A) == {cid_of(2): "block"}
