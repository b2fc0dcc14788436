"""Wants that end: withdrawn, shared, answered once or twice."""

from __future__ import annotations

from asking import SIZE, Asking
from named import A, B, C, cid_of

from peershelf.blockstore import multihash
from peershelf.blockstore.cid import DAG_PB, RAW, Cid
from peershelf.protocols.bitswap.limits import BitswapLimits
from peershelf.protocols.bitswap.requester import Verdict


def test_a_block_is_cancelled_at_everyone_else_who_was_told_and_does_not_have_it():
    asking = Asking(A, B, C)
    asking.session(cid_of(1))
    asking.told(A), asking.told(B), asking.told(C)
    asking.says(A, cid_of(1), have=True)
    asking.says(B, cid_of(1), have=False)
    asking.told(A)
    asking.sends(A, cid_of(1))
    assert asking.told(A) == {}
    assert asking.told(B) == asking.told(C) == {cid_of(1): "cancel"}


def test_a_want_withdrawn_before_it_was_told_is_never_told():
    asking = Asking(A)
    session = asking.session(cid_of(1))
    asking.requester.decide(0.0)
    asking.requester.close(session, asking.now)
    assert asking.told(A) == {}


def test_a_session_that_ends_cancels_its_wants():
    asking = Asking(A)
    session = asking.session(cid_of(1))
    asking.told(A)
    asking.requester.close(session, asking.now)
    assert asking.told(A) == {cid_of(1): "cancel"}
    assert asking.sends(A, cid_of(1)) == (Verdict.DUPLICATE, [])


def test_sessions_share_one_want():
    asking = Asking(A)
    one, other = asking.session(cid_of(1)), asking.session(cid_of(1))
    assert asking.told(A) == {cid_of(1): "block"}
    asking.requester.close(asking.session(cid_of(1)), asking.now)
    assert asking.told(A) == {}
    assert asking.sends(A, cid_of(1)) == (Verdict.WANTED, [one, other])


def test_a_block_nobody_asked_for_is_not_delivered():
    asking = Asking(A, B, limits=BitswapLimits(window_peer=1))
    asking.session(cid_of(1))
    asking.told(A)
    assert asking.sends(A, cid_of(2)) == (Verdict.UNREQUESTED, [])
    # B has not been told yet.
    assert asking.sends(B, cid_of(1)) == (Verdict.UNREQUESTED, [])
    assert asking.sends(C, cid_of(1)) == (Verdict.UNREQUESTED, [])


def test_a_block_that_comes_between_two_sessions_is_asked_for_again():
    asking = Asking(A)
    session = asking.session(cid_of(1))
    asking.told(A)
    asking.requester.close(session, asking.now)
    assert asking.sends(A, cid_of(1)) == (Verdict.DUPLICATE, [])
    asking.session(cid_of(1))
    assert asking.told(A) == {cid_of(1): "block"}


def test_a_second_copy_is_a_duplicate():
    asking = Asking(A, B)
    asking.session(cid_of(1))
    asking.told(A), asking.told(B)
    asking.sends(A, cid_of(1))
    assert asking.sends(B, cid_of(1)) == (Verdict.DUPLICATE, [])


def test_a_block_answers_every_cid_of_its_bytes():
    asking = Asking(A)
    mh = multihash.multihash(multihash.SHA2_256, b"node")
    session = asking.session(Cid.v0(mh), Cid.v1(DAG_PB, mh))
    asking.told(A)
    verdict, deliveries = asking.requester.block_received(A, mh, SIZE, 0.1)
    assert verdict is Verdict.WANTED
    assert {(delivery.session, delivery.cid) for delivery in deliveries} == {
        (session, Cid.v0(mh)),
        (session, Cid.v1(DAG_PB, mh)),
    }


def test_a_block_of_our_own_settles_the_want():
    asking = Asking(A)
    session = asking.session(cid_of(1))
    asking.told(A)
    assert asking.requester.wants_block(cid_of(1).multihash)
    deliveries = asking.requester.block_found(Cid.v1(RAW, cid_of(1).multihash).multihash, SIZE, asking.now)
    assert [delivery.session for delivery in deliveries] == [session]
    assert asking.told(A) == {cid_of(1): "cancel"}
