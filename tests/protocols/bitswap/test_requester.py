"""Asking: whom, for what, in which order; and what happens when they do not answer as hoped."""

from __future__ import annotations

from random import Random

import pytest

from peershelf.blockstore import multihash
from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import DAG_PB, RAW, Cid
from peershelf.protocols.bitswap.limits import BitswapLimits
from peershelf.protocols.bitswap.messages import Presence
from peershelf.protocols.bitswap.report import Answer
from peershelf.protocols.bitswap.requester import Requester, Verdict
from peershelf.protocols.transport import PeerId

A, B, C = PeerId("A"), PeerId("B"), PeerId("C")
SIZE = 1_000


def cid_of(number: int) -> Cid:
    return Block.create(number.to_bytes(4, "big")).cid


def cids_of(count: int) -> list[Cid]:
    return [cid_of(number) for number in range(count)]


class Asking:
    """A requester, its clock, and what its peers were told."""

    def __init__(self, *peers: PeerId, limits: BitswapLimits | None = None, in_demand=None, seed=0) -> None:
        self.requester = Requester(
            limits or BitswapLimits(), random=Random(seed), in_demand=in_demand or (lambda cid: False)
        )
        self.now = 0.0
        for peer in peers:
            self.requester.peer_connected(peer, self.now)

    def session(self, *cids: Cid):
        session_id = self.requester.open()
        self.requester.want(session_id, cids)
        return session_id

    def told(self, peer: PeerId) -> dict[Cid, str]:
        """What a peer is told now: "have", "block" or "cancel" for each CID."""
        self.requester.decide(self.now)
        entries, _ = self.requester.take_wants(peer, 10_000)
        kinds = {True: "cancel", False: "block"}
        return {entry.cid: "have" if entry.have_only else kinds[entry.cancel] for entry in entries}

    def asked(self, peer: PeerId) -> list[Cid]:
        """The blocks that a peer is asked for now."""
        return [cid for cid, kind in self.told(peer).items() if kind == "block"]

    def says(self, peer: PeerId, *cids: Cid, have: bool) -> None:
        self.requester.presences(peer, [Presence(cid, have) for cid in cids])

    def sends(self, peer: PeerId, cid: Cid, size: int = SIZE):
        """A peer sends a block; returns the verdict and the sessions that get it."""
        verdict, deliveries = self.requester.block_received(peer, cid.multihash, size, self.now)
        return verdict, [delivery.session for delivery in deliveries]

    def passes(self, seconds: float) -> None:
        """Time passes, and the alarms in it ring when they are due."""
        end = self.now + seconds
        while self.requester.next_deadline <= end:
            self.now = max(self.now, self.requester.next_deadline)
            self.requester.tick(self.now)
            self.requester.decide(self.now)
        self.now = end


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
    asking = Asking(A, B)
    asking.session(cid_of(1))
    asking.told(A), asking.told(B)
    asking.says(A, cid_of(1), have=True)
    asking.told(A)
    asking.says(B, cid_of(1), have=True)
    for _ in range(15):
        asking.passes(0.1)
        asking.requester.heard(A, asking.now)
    assert asking.asked(B) == []


def test_a_peer_that_trickles_is_overdue_all_the_same():
    asking = Asking(A, B)
    asking.session(cid_of(1))
    asking.told(A), asking.told(B)
    asking.says(A, cid_of(1), have=True)
    asking.told(A)
    asking.says(B, cid_of(1), have=True)
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
    asking = Asking(A, B)
    asking.session(cid_of(1))
    asking.told(A), asking.told(B)
    asking.says(A, cid_of(1), have=True)
    asking.told(A)
    asking.says(B, cid_of(1), have=True)
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
    asking.requester.close(session)
    assert asking.told(A) == {}


def test_a_session_that_ends_cancels_its_wants():
    asking = Asking(A)
    session = asking.session(cid_of(1))
    asking.told(A)
    asking.requester.close(session)
    assert asking.told(A) == {cid_of(1): "cancel"}
    assert asking.sends(A, cid_of(1)) == (Verdict.DUPLICATE, [])


def test_sessions_share_one_want():
    asking = Asking(A)
    one, other = asking.session(cid_of(1)), asking.session(cid_of(1))
    assert asking.told(A) == {cid_of(1): "block"}
    asking.requester.close(asking.session(cid_of(1)))
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
    asking.requester.close(session)
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
    deliveries = asking.requester.block_found(Cid.v1(RAW, cid_of(1).multihash).multihash, SIZE)
    assert [delivery.session for delivery in deliveries] == [session]
    assert asking.told(A) == {cid_of(1): "cancel"}


def test_blocks_are_asked_for_in_order():
    asking = Asking(A, limits=BitswapLimits(window_peer=1))
    asking.session(*cids_of(5))
    order = []
    while cids := asking.asked(A):
        order += cids
        asking.now += 1
        for cid in cids:
            asking.sends(A, cid)
    assert order == cids_of(5)


def test_no_more_is_on_order_than_the_window_and_it_grows_with_bandwidth():
    asking = Asking(A)
    asking.session(*cids_of(400))
    on_order = asking.asked(A)
    assert len(on_order) == BitswapLimits().window_peer
    for _ in range(6):
        asking.now += 0.1
        for cid in on_order:
            asking.sends(A, cid, 50_000)
        on_order = asking.asked(A)
    assert len(on_order) > 50


def test_the_window_does_not_grow_when_only_the_queue_would():
    asking = Asking(A)
    asking.session(*cids_of(400))
    waiting = asking.asked(A)
    for _ in range(100):
        asking.now += 0.5
        asking.sends(A, waiting.pop(0), 100_000)
        waiting += asking.asked(A)
    assert len(waiting) <= 4


def test_no_more_is_on_order_in_all_than_is_known_to_keep_coming():
    peers = [PeerId(f"peer{number}") for number in range(20)]
    asking = Asking(*peers)
    asking.session(*cids_of(100))
    for peer in peers:
        asking.told(peer)
        asking.says(peer, *cids_of(100), have=True)
    assert sum(len(asking.asked(peer)) for peer in peers) == BitswapLimits().window_all


def test_a_peer_that_denies_a_block_is_free_for_another():
    asking = Asking(A, B, limits=BitswapLimits(window_peer=1))
    asking.session(*cids_of(2))
    asking.told(A), asking.told(B)
    asking.says(A, *cids_of(2), have=True)
    assert asking.asked(A) == [cid_of(0)]
    asking.says(B, cid_of(1), have=False)
    asking.passes(1.0)
    asking.says(B, cid_of(0), have=True)
    assert asking.asked(B) == [cid_of(0)]
    for _ in range(25):
        asking.passes(0.1)
        asking.requester.heard(B, asking.now)
    asking.says(A, cid_of(0), have=False)
    assert asking.asked(A) == [cid_of(1)]


def test_sessions_take_turns():
    asking = Asking(A, limits=BitswapLimits(window_peer=4))
    asking.session(*cids_of(10))
    asking.session(cid_of(20), cid_of(21))
    assert asking.asked(A) == [cid_of(0), cid_of(20), cid_of(1), cid_of(21)]


def test_a_consumer_that_does_not_take_blocks_stops_the_asking():
    limits = BitswapLimits(session_undelivered=10 * SIZE, window_peer=4)
    asking = Asking(A, limits=limits)
    session = asking.session(*cids_of(100))
    received = 0
    while cids := asking.asked(A):
        for cid in cids:
            asking.now += 0.1
            asking.sends(A, cid)
            received += 1
    assert received <= 14
    asking.requester.consumed(session, received * SIZE)
    assert asking.asked(A)


def test_peers_are_told_of_a_bounded_part_of_a_session():
    asking = Asking(A, B, limits=BitswapLimits(session_wants=5))
    asking.session(*cids_of(20))
    assert list(asking.told(A)) == list(asking.told(B)) == cids_of(5)
    asking.sends(A, cid_of(0))
    assert asking.told(B) == {cid_of(0): "cancel", cid_of(5): "have"}


def test_a_peer_is_told_no_more_wants_than_peers_keep():
    asking = Asking(A, B)
    for start in range(0, 2_000, 500):
        asking.session(*(cid_of(number) for number in range(start, start + 500)))
    told = asking.told(A)
    assert len(told) <= 1_024
    for cid in told:
        asking.says(A, cid, have=False)
    asking.requester.close(1)
    later = asking.told(A)
    kept = len(told) + sum(1 if kind == "have" else -1 for kind in later.values())
    assert "have" in later.values()
    assert kept <= 1_024


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
    asking.requester.close(session)
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
    asking.requester.close(session)
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
