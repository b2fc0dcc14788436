"""Serving: which wants are answered, and with what."""

from __future__ import annotations

import pytest
from named import A, B, C, cid_of, cids_of
from serving import BIG, Serving

from peershelf.blockstore import multihash
from peershelf.blockstore.cid import DAG_PB, Cid
from peershelf.protocols.bitswap.messages import WantEntry


def test_a_wanted_block_is_sent():
    serving = Serving()
    serving.holds(cid_of(1))
    serving.wants(A, WantEntry(cid_of(1)))
    assert serving.turn() == (A, [cid_of(1)])
    assert serving.turn() is None
    assert serving.engine.wantlist(A) == []


def test_a_want_have_gets_word_and_no_block():
    serving = Serving()
    serving.holds(cid_of(1))
    serving.wants(A, WantEntry(cid_of(1), have_only=True))
    assert serving.turn() is None
    assert serving.engine.peers_to_tell() == [A]
    assert serving.presences(A) == {cid_of(1): True}
    assert serving.presences(A) == {}


def test_a_want_have_for_a_tiny_block_gets_the_block():
    serving = Serving()
    serving.holds(cid_of(1), size=1_024)
    serving.holds(cid_of(2), size=1_025)
    serving.wants(A, WantEntry(cid_of(1), have_only=True), WantEntry(cid_of(2), have_only=True))
    assert serving.sent_to(A) == [cid_of(1)]
    assert serving.presences(A) == {cid_of(2): True}


@pytest.mark.parametrize("have_only", [True, False])
def test_absence_is_told_if_asked_for_and_only_then(have_only):
    serving = Serving()
    serving.wants(A, WantEntry(cid_of(1), have_only=have_only, send_dont_have=True))
    serving.wants(B, WantEntry(cid_of(1), have_only=have_only))
    assert serving.presences(A) == {cid_of(1): False}
    assert serving.presences(B) == {}


def test_a_block_that_comes_later_reaches_those_who_wait_for_it():
    serving = Serving()
    serving.wants(A, WantEntry(cid_of(1)))
    serving.wants(B, WantEntry(cid_of(1), have_only=True, send_dont_have=True))
    serving.wants(C, WantEntry(cid_of(2)))
    assert serving.engine.is_wanted(cid_of(1))
    serving.gets(cid_of(1))
    assert serving.sent_to(A) == [cid_of(1)]
    assert serving.presences(B) == {cid_of(1): True}
    assert serving.presences(C) == {}
    assert not serving.engine.is_wanted(cid_of(1))


def test_a_block_that_comes_while_it_is_looked_up_is_not_denied():
    serving = Serving()
    cids = serving.engine.receive(A, [WantEntry(cid_of(1), send_dont_have=True)])
    serving.gets(cid_of(1))
    serving.engine.looked_up(A, dict.fromkeys(cids))
    assert serving.presences(A) == {}
    assert serving.sent_to(A) == [cid_of(1)]


def test_a_block_answers_wants_for_any_cid_of_its_bytes():
    serving = Serving()
    mh = multihash.multihash(multihash.SHA2_256, b"node")
    serving.wants(A, WantEntry(Cid.v0(mh)), WantEntry(Cid.v1(DAG_PB, mh)))
    serving.gets(Cid.v1(0x55, mh))
    assert set(serving.sent_to(A)) == {Cid.v0(mh), Cid.v1(DAG_PB, mh)}


def test_a_cancelled_want_is_not_served():
    serving = Serving()
    serving.holds(cid_of(1))
    serving.wants(A, WantEntry(cid_of(1)), WantEntry(cid_of(2), send_dont_have=True))
    serving.wants(A, WantEntry(cid_of(1), cancel=True), WantEntry(cid_of(2), cancel=True))
    serving.gets(cid_of(2))
    assert serving.sent_to(A) == []
    assert serving.presences(A) == {}


def test_a_want_cancelled_in_the_same_message_is_not_looked_up():
    serving = Serving()
    assert serving.engine.receive(A, [WantEntry(cid_of(1)), WantEntry(cid_of(1), cancel=True)]) == []


def test_a_full_wantlist_replaces_what_was_wanted():
    serving = Serving()
    serving.holds(*cids_of(3))
    serving.wants(A, WantEntry(cid_of(0)), WantEntry(cid_of(1)))
    serving.wants(A, WantEntry(cid_of(1)), WantEntry(cid_of(2)), full=True)
    assert set(serving.sent_to(A)) == {cid_of(1), cid_of(2)}


def test_a_want_have_does_not_lower_a_want_block():
    serving = Serving()
    serving.wants(A, WantEntry(cid_of(1)))
    serving.wants(A, WantEntry(cid_of(1), have_only=True))
    serving.gets(cid_of(1))
    assert serving.sent_to(A) == [cid_of(1)]


def test_a_want_block_raises_a_want_have():
    serving = Serving()
    serving.holds(cid_of(1))
    serving.wants(A, WantEntry(cid_of(1), have_only=True), WantEntry(cid_of(1)))
    assert serving.sent_to(A) == [cid_of(1)]
    assert serving.presences(A) == {}


def test_a_want_raised_before_its_word_is_said_gets_the_block():
    serving = Serving()
    serving.holds(cid_of(1))
    serving.wants(A, WantEntry(cid_of(1), have_only=True))
    cids = serving.engine.receive(A, [WantEntry(cid_of(1))])
    assert serving.presences(A) == {}
    serving.engine.looked_up(A, dict.fromkeys(cids, BIG))
    assert serving.sent_to(A) == [cid_of(1)]
