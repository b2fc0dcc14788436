"""Who waits for blocks, and who of them is next."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.protocols.bitswap.queue import TurnQueue
from peershelf.protocols.transport import PeerId

MIB = 1 << 20
BEHIND = 4 * MIB
"""What an address may catch up on."""
PLACES = {
    PeerId(f"{place}{number}"): place for place in "abc" for number in range({"a": 9, "b": 2, "c": 1}[place])
}
"""Nine peers at one address, two at another, and one at a third."""


@pytest.fixture
def queue() -> TurnQueue:
    return TurnQueue()


def serve(queue: TurnQueue, size: int = MIB) -> PeerId:
    """Whoever is next gets so much, and wants more."""
    peer = next(iter(queue))
    queue.remove(peer)
    queue.served(PLACES[peer], size)
    queue.add(peer, PLACES[peer])
    return peer


def all_wait(queue: TurnQueue) -> None:
    for peer, place in PLACES.items():
        queue.add(peer, place)


def test_each_waits_once(queue):
    all_wait(queue)
    all_wait(queue)
    assert len(queue) == len(list(queue)) == len(PLACES)
    for peer in PLACES:
        queue.remove(peer)
        queue.remove(peer)
    assert not len(queue)
    assert list(queue) == []


def test_addresses_have_equal_parts_and_peers_of_one_equal_parts_of_that(queue):
    all_wait(queue)
    turns = Counter(serve(queue) for _ in range(3 * 18))
    assert [turns[peer] for peer in PLACES] == [2] * 9 + [9] * 2 + [18]


def test_bytes_count_and_not_turns(queue):
    for peer in ("a0", "c0"):
        queue.add(PeerId(peer), PLACES[PeerId(peer)])
    turns: Counter[str] = Counter()
    for _ in range(900):
        turns[serve(queue, MIB if next(iter(queue)) == "a0" else MIB // 8)] += 1
    assert turns == {"a0": 100, "c0": 800}


def test_turns_without_bytes_are_not_free(queue):
    for peer in ("a0", "c0"):
        queue.add(PeerId(peer), PLACES[PeerId(peer)])
    assert Counter(serve(queue, 0) for _ in range(10)) == {"a0": 5, "c0": 5}


def test_who_comes_late_catches_up_on_a_few_turns_only(queue):
    queue.add(PeerId("a0"), "a")
    for _ in range(1_000):
        serve(queue)
    queue.add(PeerId("c0"), "c")
    first = [serve(queue) for _ in range(20)]
    assert BEHIND // MIB <= first.index(PeerId("a0")) <= BEHIND // MIB + 1
    assert first.count(PeerId("a0")) == pytest.approx(8, abs=1)


def test_addresses_that_have_gone_are_forgotten(queue):
    for number in range(3_000):
        queue.served(number, MIB)
        queue.served("a", MIB)
    assert len(queue._had) <= 256


@given(
    st.lists(st.tuples(st.sampled_from(sorted(PLACES)), st.integers(1, 2 * MIB), st.booleans()), max_size=300)
)
def test_no_address_that_waits_falls_behind(events):
    """Others come and go while c0 waits, and have no more than it, a turn, and what they may catch up on."""
    queue = TurnQueue()
    queue.add(PeerId("c0"), "c")
    had: Counter[str] = Counter()
    for peer, size, comes in events:
        if peer != "c0":
            (queue.add if comes else lambda one, _: queue.remove(one))(peer, PLACES[peer])
        chosen = next(iter(queue))
        queue.served(PLACES[chosen], size)
        had[PLACES[chosen]] += max(size, 32_768)
    assert all(had[place] <= had["c"] + BEHIND + 2 * MIB for place in "ab")
