"""What peers do wrong, what gets lost, and blocks that move to who is sooner."""

from __future__ import annotations

from asking import Asking
from named import A, B, C, cid_of, cids_of

from peershelf.protocols.bitswap.limits import BitswapLimits
from peershelf.protocols.bitswap.report import Answer
from peershelf.protocols.transport import PeerId


def test_wrong_bytes_for_the_one_block_on_order_bar_the_peer_from_it():
    asking = Asking(A, limits=BitswapLimits(window_peer=1))
    asking.session(cid_of(1))
    assert asking.asked(A) == [cid_of(1)]
    asking.requester.bad_block(A, asking.now)
    asking.says(A, cid_of(1), have=True)
    asking.passes(120)
    assert asking.asked(A) == []
    assert asking.requester.answers(cid_of(1)) == {A: Answer.WRONG_BYTES}
    asking.requester.peer_connected(B, asking.now)
    asking.told(B)
    asking.says(B, cid_of(1), have=True)
    assert asking.asked(B) == [cid_of(1)]


def test_wrong_bytes_for_one_of_several_open_them_all_and_narrow_the_window():
    asking = Asking(A, B)
    asking.session(*cids_of(3))
    asking.told(A), asking.told(B)
    asking.says(A, *cids_of(3), have=True)
    ordered = asking.asked(A)
    assert len(ordered) == 2
    asking.says(B, *cids_of(3), have=True)
    asking.told(B)
    asking.requester.bad_block(A, asking.now)
    for cid in cids_of(3):
        asking.sends(B, cid)
        asking.asked(B)
    session = asking.session(cid_of(7), cid_of(8))
    assert session
    asking.passes(60)
    asking.told(A)
    asking.says(A, cid_of(7), cid_of(8), have=True)
    assert len(asking.asked(A)) == 1


def test_a_peer_that_keeps_sending_nonsense_is_asked_no_more():
    asking = Asking(A, limits=BitswapLimits(bad_blocks=4))
    asking.session(*cids_of(10))
    asking.told(A)
    for _ in range(4):
        asking.requester.bad_block(A, asking.now)
        asking.passes(30)
        asking.told(A)
    assert not asking.requester.listens_to(A)
    assert asking.requester.expected(A) == frozenset()
    assert asking.told(A) == {}


def test_what_is_expected_of_a_peer_is_what_it_was_told_and_is_still_wanted():
    asking = Asking(A)
    session = asking.session(cid_of(1), cid_of(2))
    assert asking.requester.expected(A) == frozenset()
    asking.told(A)
    assert asking.requester.expected(A) == {cid_of(1).multihash, cid_of(2).multihash}
    asking.sends(A, cid_of(1))
    assert asking.requester.expected(A) == {cid_of(2).multihash}
    asking.requester.close(session, asking.now)
    assert asking.requester.expected(A) == frozenset()
    assert asking.requester.listens_to(A)


def test_a_want_is_repeated_in_case_it_was_lost():
    asking = Asking(A)
    asking.session(cid_of(1))
    asking.told(A)
    asking.passes(29)
    assert asking.told(A) == {}
    asking.passes(2)
    assert asking.told(A) == {cid_of(1): "block"}


def test_a_lost_stream_makes_us_tell_everything_anew():
    asking = Asking(A, B)
    session = asking.session(cid_of(1), cid_of(2), cid_of(3))
    asking.told(A)
    asking.requester.close(session, asking.now)
    asking.session(cid_of(2))
    asking.requester.stream_lost(A)
    asking.requester.decide(0.0)
    entries, full = asking.requester.take_wants(A, 10)
    assert full
    assert [(entry.cid, entry.cancel) for entry in entries] == [(cid_of(2), False)]


def test_the_report_says_what_everyone_answered():
    peers = [PeerId(name) for name in ("silent", "has", "has-not", "left")]
    asking = Asking(*peers)
    asking.session(cid_of(1))
    for peer in peers:
        asking.told(peer)
    asking.says(PeerId("left"), cid_of(1), have=True)
    asking.told(PeerId("left"))
    asking.requester.peer_disconnected(PeerId("left"))
    asking.says(PeerId("has"), cid_of(1), have=True)
    asking.says(PeerId("has-not"), cid_of(1), have=False)
    assert asking.requester.answers(cid_of(1)) == {
        "silent": Answer.NONE,
        "has": Answer.HAVE,
        "has-not": Answer.DONT_HAVE,
        "left": Answer.LEFT,
    }
    assert asking.requester.answers(cid_of(2)) == {}


def test_a_peer_that_went_silent_is_left_alone_ever_longer():
    asking = Asking(A, B)
    first_asked = []
    for number in range(4):
        asking.session(cid_of(number))
        asking.told(A), asking.told(B)
        asking.says(A, cid_of(number), have=True)
        start = asking.now
        while not asking.asked(A):
            asking.passes(0.25)
        first_asked.append(asking.now - start)
        asking.passes(1.0)
    assert first_asked[0] == 0
    assert first_asked == sorted(first_asked)
    assert first_asked[-1] > 2 * first_asked[1] > 0


def test_peers_that_only_miss_are_told_no_new_wants_while_another_delivers():
    asking = Asking(A, B)
    session = asking.session(*cids_of(40))
    asking.told(A), asking.told(B)
    asking.says(A, cid_of(0), have=True)
    asking.says(B, *cids_of(40), have=False)
    asking.told(A), asking.told(B)
    asking.requester.want(session, [cid_of(50)])
    assert asking.told(B) == {}
    asking.says(A, cid_of(50), have=False)
    assert asking.told(B) == {cid_of(50): "have"}


def test_what_our_peers_want_too_is_fetched_rarest_first_and_by_lot():
    orders = set()
    for seed in range(5):
        asking = Asking(A, B, in_demand=lambda cid: True, seed=seed)
        asking.session(*cids_of(30))
        asking.told(A), asking.told(B)
        asking.says(B, *cids_of(20), have=True)
        asking.told(B)
        asking.says(A, *cids_of(30), have=True)
        ordered = asking.asked(A)
        assert set(ordered) <= set(cids_of(30)[20:])
        orders.add(tuple(ordered))
    assert len(orders) > 1


def test_a_block_is_moved_from_a_busy_peer_to_an_idle_one():
    asking = Asking(A, B)
    asking.session(*cids_of(2))
    asking.told(A), asking.told(B)
    asking.says(A, *cids_of(2), have=True)
    assert asking.asked(A) == cids_of(2)
    asking.passes(0.3)
    asking.says(B, cid_of(1), have=True)
    assert asking.asked(B) == [cid_of(1)]
    assert asking.told(A) == {cid_of(1): "cancel"}


def test_a_block_is_moved_once_at_most():
    asking = Asking(A, B, C)
    asking.session(*cids_of(2))
    for peer in (A, B, C):
        asking.told(peer)
    asking.says(A, *cids_of(2), have=True)
    asking.told(A)
    asking.passes(0.3)
    asking.says(B, *cids_of(2), have=True)
    (moved,) = asking.asked(B)
    asking.passes(0.3)
    asking.says(C, *cids_of(2), have=True)
    assert moved not in asking.asked(C)
