"""Serving: what is kept for a peer, and what becomes of it when something breaks."""

from __future__ import annotations

from named import A, B, cid_of, cids_of
from serving import BIG, Serving

from peershelf.protocols.bitswap.limits import BitswapLimits
from peershelf.protocols.bitswap.messages import Presence, WantEntry


def test_wants_over_the_limit_are_not_kept():
    serving = Serving(BitswapLimits(wants_per_peer=10))
    serving.wants(A, *(WantEntry(cid) for cid in cids_of(25)))
    assert len(serving.engine.wantlist(A)) == 10
    serving.gets(*cids_of(25))
    assert serving.sent_to(A) == cids_of(10)


def test_a_repeated_want_is_one_want():
    serving = Serving()
    assert serving.engine.receive(A, [WantEntry(cid_of(1))] * 6_000) == [cid_of(1)]
    assert serving.engine.wantlist(A) == [cid_of(1)]


def test_a_want_repeated_while_its_block_is_on_its_way_is_not_served_again():
    serving = Serving()
    serving.holds(cid_of(1))
    serving.wants(A, WantEntry(cid_of(1)))
    turn = serving.engine.next_turn(0.0)
    for _ in range(6_000):
        serving.wants(A, WantEntry(cid_of(1)))
    serving.engine.sent(turn, 0.0)
    assert serving.turn() is None


def test_words_that_nobody_fetches_are_bounded():
    serving = Serving(BitswapLimits(wants_per_peer=10))
    serving.holds(*cids_of(100))
    for cid in cids_of(100):
        serving.wants(A, WantEntry(cid, have_only=True))
    assert len(serving.presences(A)) == 10


def test_a_peer_that_leaves_takes_its_wants_along():
    serving = Serving()
    serving.holds(cid_of(1))
    serving.wants(A, WantEntry(cid_of(1)), WantEntry(cid_of(2), send_dont_have=True))
    serving.engine.peer_disconnected(A)
    assert serving.turn() is None
    assert serving.engine.peers_to_tell() == []
    assert not serving.engine.is_wanted(cid_of(2))
    serving.engine.peer_connected(A)
    serving.gets(cid_of(2))
    assert serving.turn() is None


def test_an_unknown_peer_is_not_served():
    serving = Serving(peers=())
    assert serving.engine.receive(A, [WantEntry(cid_of(1))]) == []
    assert serving.engine.wantlist(A) == []


def test_a_block_that_cannot_be_read_is_denied_and_stays_wanted():
    serving = Serving()
    serving.holds(cid_of(1))
    serving.wants(A, WantEntry(cid_of(1), send_dont_have=True))
    turn = serving.engine.next_turn(0.0)
    serving.engine.unreadable(turn, turn.wants)
    serving.engine.sent(turn, 0.0)
    assert serving.presences(A) == {cid_of(1): False}
    serving.gets(cid_of(1))
    assert serving.sent_to(A) == [cid_of(1)]


def test_blocks_of_a_broken_stream_are_sent_again():
    serving = Serving()
    serving.holds(cid_of(1), cid_of(2))
    serving.wants(A, WantEntry(cid_of(1)), WantEntry(cid_of(2)))
    turn = serving.engine.next_turn(0.0)
    serving.wants(A, WantEntry(cid_of(2), cancel=True))
    serving.engine.not_sent(turn)
    assert serving.sent_to(A) == [cid_of(1)]


def test_a_turn_of_an_earlier_connection_frees_its_bytes_and_changes_nothing_else():
    serving = Serving(BitswapLimits(buffered_total=BIG))
    serving.holds(cid_of(1))
    serving.wants(A, WantEntry(cid_of(1)))
    turn = serving.engine.next_turn(0.0)
    serving.engine.peer_disconnected(A)
    serving.engine.peer_connected(A)
    serving.wants(A, WantEntry(cid_of(1)))
    assert serving.engine.next_turn(0.0) is None
    serving.engine.not_sent(turn)
    assert serving.sent_to(A) == [cid_of(1)]


def test_the_word_is_taken_once():
    serving = Serving()
    serving.wants(A, WantEntry(cid_of(1), send_dont_have=True))
    assert serving.engine.take_presences(A, 100) == (Presence(cid_of(1), have=False),)
    assert serving.engine.peers_to_tell() == []


def test_bytes_on_their_way_are_counted_for_each_peer_and_for_all():
    serving = Serving()
    engine = serving.engine
    serving.holds(*cids_of(3))
    assert (engine.bytes_sending, engine.most_sending()) == (0, ("", 0))
    serving.wants(A, *(WantEntry(cid) for cid in cids_of(2)))
    serving.wants(B, WantEntry(cid_of(2)))
    turns = [engine.next_turn(0.0), engine.next_turn(0.0)]
    assert (engine.bytes_sending, engine.most_sending()) == (3 * BIG, (A, 2 * BIG))
    for turn in turns:
        engine.sent(turn, 0.0)
    assert (engine.bytes_sending, engine.most_sending()) == (0, ("", 0))
