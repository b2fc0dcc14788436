"""Serving: who gets what first, and how much of it at a time."""

from __future__ import annotations

from collections import Counter, deque

from named import A, B, C, cid_of, cids_of
from serving import BIG, Serving

from peershelf.protocols.bitswap.limits import BitswapLimits
from peershelf.protocols.bitswap.messages import WantEntry
from peershelf.protocols.bitswap.turn import Turn
from peershelf.protocols.transport import PeerId

MIB = 1 << 20


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


def crowd(number: int) -> tuple[PeerId, ...]:
    return tuple(PeerId(f"one of many {n}") for n in range(number))


def test_a_crowd_at_one_address_leaves_turns_to_others():
    """A peer has four turns on their way at most, and this line says that it takes twelve."""
    many = crowd(16)
    serving = Serving(BitswapLimits(message_out=MIB), (*many, A), lambda peer: A if peer == A else "theirs")
    serving.holds(*cids_of(200), size=MIB)
    for peer in (*many, A):
        serving.wants(peer, *(WantEntry(cid) for cid in cids_of(200)))
    served: Counter[str] = Counter()
    running: deque[Turn] = deque()
    for now in range(200):
        while (turn := serving.engine.next_turn(now / 100)) is not None:
            running.append(turn)
        if now >= 40:  # at first everybody gets one, as it is not known how much the line takes
            served[running[0].peer] += 1
        serving.engine.sent(running.popleft(), now / 100)
    assert served[A] > served.total() / 4
    assert min(served[peer] for peer in many) >= 4


def test_who_is_alone_gets_turns_ahead_beside_a_crowd_at_one_address():
    many = crowd(8)
    serving = Serving(BitswapLimits(message_out=BIG), (*many, A), lambda peer: A if peer == A else "theirs")
    serving.holds(*cids_of(50))
    for peer in many:
        serving.wants(peer, *(WantEntry(cid) for cid in cids_of(50)))
    while serving.engine.next_turn(0.0) is not None:
        pass
    serving.wants(A, *(WantEntry(cid) for cid in cids_of(50)))
    turns = [serving.engine.next_turn(5.0) for _ in range(3)]
    assert [turn and turn.peer for turn in turns] == [A] * 3


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
