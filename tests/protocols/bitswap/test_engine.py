"""Serving: who gets what, in which order, and what is kept for whom."""

from __future__ import annotations

import pytest

from peershelf.blockstore import multihash
from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import DAG_PB, Cid
from peershelf.protocols.bitswap.engine import Engine
from peershelf.protocols.bitswap.limits import BitswapLimits
from peershelf.protocols.bitswap.messages import Presence, WantEntry
from peershelf.protocols.transport import PeerId

A, B, C = PeerId("A"), PeerId("B"), PeerId("C")
BIG = 10_000


def cid_of(number: int) -> Cid:
    return Block.create(number.to_bytes(4, "big")).cid


def cids_of(count: int) -> list[Cid]:
    return [cid_of(number) for number in range(count)]


class Serving:
    """An engine with a store of sizes, and a driver that looks blocks up at once."""

    def __init__(self, limits: BitswapLimits | None = None, peers: tuple[PeerId, ...] = (A, B, C)) -> None:
        self.engine = Engine(limits or BitswapLimits())
        self.sizes: dict[Cid, int] = {}
        for peer in peers:
            self.engine.peer_connected(peer)

    def holds(self, *cids: Cid, size: int = BIG) -> None:
        self.sizes |= dict.fromkeys(cids, size)

    def gets(self, *cids: Cid, size: int = BIG) -> None:
        self.holds(*cids, size=size)
        self.engine.blocks_added(dict.fromkeys(cids, size))

    def wants(self, peer: PeerId, *entries: WantEntry, full: bool = False) -> None:
        cids = self.engine.receive(peer, entries, full=full)
        self.engine.looked_up(peer, {cid: self.sizes.get(cid) for cid in cids})

    def presences(self, peer: PeerId) -> dict[Cid, bool]:
        return {presence.cid: presence.have for presence in self.engine.take_presences(peer)}

    def turn(self) -> tuple[PeerId, list[Cid]] | None:
        """One turn, sent at once."""
        turn = self.engine.next_turn(0.0)
        if turn is None:
            return None
        self.engine.sent(turn, 0.0)
        return turn.peer, [want.cid for want in turn.wants]

    def sent_to(self, peer: PeerId) -> list[Cid]:
        """Everything that all turns bring a peer."""
        found = []
        while (turn := self.turn()) is not None:
            found += turn[1] if turn[0] == peer else []
        return found


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


def test_higher_priorities_go_first():
    serving = Serving(BitswapLimits(message_out=1))
    serving.holds(*cids_of(3))
    serving.wants(A, *(WantEntry(cid, priority) for cid, priority in zip(cids_of(3), [1, 3, 2], strict=True)))
    assert serving.sent_to(A) == [cid_of(1), cid_of(2), cid_of(0)]


def test_among_equals_what_was_sent_least_goes_first():
    serving = Serving(BitswapLimits(message_out=1))
    serving.holds(*cids_of(4))
    for peer in (A, B, C):
        serving.wants(peer, *(WantEntry(cid) for cid in cids_of(4)))
    turns = [serving.turn() for _ in range(4)]
    assert {cid for _, (cid,) in turns} == set(cids_of(4))


def test_several_blocks_share_a_message_up_to_its_target():
    serving = Serving(BitswapLimits(message_out=25_000))
    serving.holds(*cids_of(5), size=10_000)
    serving.wants(A, *(WantEntry(cid) for cid in cids_of(5)))
    assert [len(serving.turn()[1]) for _ in range(3)] == [2, 2, 1]


def test_half_of_what_is_wanted_travels_while_the_peer_orders_more():
    serving = Serving()
    serving.holds(*cids_of(8), size=100_000)
    serving.wants(A, *(WantEntry(cid) for cid in cids_of(8)))
    assert [len(serving.turn()[1]) for _ in range(3)] == [4, 2, 1]


def test_a_block_over_the_target_goes_alone():
    serving = Serving(BitswapLimits(message_out=5_000))
    serving.holds(*cids_of(2), size=10_000)
    serving.wants(A, *(WantEntry(cid) for cid in cids_of(2)))
    assert serving.turn() == (A, [cid_of(0)])


def test_peers_take_turns_whatever_they_ask_for():
    serving = Serving(BitswapLimits(message_out=BIG))
    serving.holds(*cids_of(100))
    serving.wants(A, *(WantEntry(cid) for cid in cids_of(100)))
    serving.wants(B, WantEntry(cid_of(1)))
    serving.wants(C, WantEntry(cid_of(2)), WantEntry(cid_of(3)))
    assert [serving.turn()[0] for _ in range(5)] == [A, B, C, A, C]


def test_a_peer_that_does_not_read_keeps_nobody_from_theirs():
    limits = BitswapLimits(message_out=BIG)
    peers = tuple(PeerId(f"slow{number}") for number in range(50))
    serving = Serving(limits, (*peers, A))
    serving.holds(*cids_of(10))
    for peer in (*peers, A):
        serving.wants(peer, *(WantEntry(cid) for cid in cids_of(10)))
    served = []
    now = 0.0
    while A not in served and now < 60:
        turn = serving.engine.next_turn(now)
        if turn is None:
            now = serving.engine.room_at(now)
        else:
            served.append(turn.peer)
    assert served.count(A) == 1
    assert now < 15


def test_a_third_message_waits_for_the_first_to_leave():
    serving = Serving(BitswapLimits(message_out=BIG, messages_ahead=2))
    serving.holds(*cids_of(5))
    serving.wants(A, *(WantEntry(cid) for cid in cids_of(5)))
    first, second = serving.engine.next_turn(0.0), serving.engine.next_turn(0.0)
    assert first is not None
    assert second is not None
    assert serving.engine.next_turn(0.0) is None
    serving.engine.sent(first, 0.0)
    assert serving.engine.next_turn(0.0) is not None


def test_turns_are_prepared_several_at_a_time():
    serving = Serving(BitswapLimits(message_out=BIG, messages_ahead=4))
    serving.holds(*cids_of(9))
    serving.wants(A, *(WantEntry(cid) for cid in cids_of(9)))
    turns = [serving.engine.next_turn(0.0) for _ in range(4)]
    serving.engine.sent(turns[0], 0.0)
    assert not serving.engine.has_turns
    serving.engine.sent(turns[1], 0.0)
    assert serving.engine.has_turns
    assert serving.engine.next_turn(0.0) is not None
    assert serving.engine.next_turn(0.0) is not None


def test_nothing_is_prepared_ahead_while_many_are_served():
    peers = tuple(PeerId(f"peer{number}") for number in range(8))
    serving = Serving(BitswapLimits(message_out=BIG), peers)
    serving.holds(*cids_of(50))
    for peer in peers:
        serving.wants(peer, *(WantEntry(cid) for cid in cids_of(50)))
    served = []
    for now in range(0, 100, 10):
        while (turn := serving.engine.next_turn(float(now))) is not None:
            served.append(turn.peer)
    # The first few were served before it was known how many there are.
    assert len(served) <= len(peers) + 4


def test_bytes_on_their_way_are_bounded_for_a_peer_and_in_all():
    limits = BitswapLimits(
        message_out=4 * BIG, messages_ahead=9, buffered_per_peer=3 * BIG, buffered_total=5 * BIG
    )
    serving = Serving(limits)
    serving.holds(*cids_of(9))
    for peer in (A, B, C):
        serving.wants(peer, *(WantEntry(cid) for cid in cids_of(9)))
    turns = []
    while (turn := serving.engine.next_turn(0.0)) is not None:
        turns.append(turn)
    assert sum(turn.size for turn in turns) == 5 * BIG
    assert all(sum(turn.size for turn in turns if turn.peer == peer) <= 3 * BIG for peer in (A, B, C))
    serving.engine.sent(turns[0], 0.0)
    assert serving.engine.next_turn(0.0) is not None


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
    assert serving.engine.take_presences(A) == (Presence(cid_of(1), have=False),)
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
