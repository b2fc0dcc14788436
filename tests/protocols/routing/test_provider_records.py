"""Provider records: how long they are kept, and how many, whoever floods."""

from __future__ import annotations

import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kad_world import new_peer

from peershelf.protocols.routing.kad.messages import Contact
from peershelf.protocols.routing.kad.providers import ProviderRecords
from peershelf.protocols.routing.kad.scope import MAX_ADDRESS_BYTES
from peershelf.protocols.routing.kad.shares import Shares

HOUR = 3600.0
RNG = random.Random(1)
PEERS = [Contact(new_peer(RNG), (b"address %d" % number,)) for number in range(300)]


def key(number: int) -> bytes:
    return b"\x12\x20" + number.to_bytes(32, "big")


def test_a_record_is_good_for_48_hours():
    records = ProviderRecords()
    records.add(key(1), PEERS[0], 0.0)
    assert records.get(key(1), 48 * HOUR - 1) == [PEERS[0]]
    assert records.get(key(1), 48 * HOUR) == []
    assert len(records) == 0


def test_one_that_is_told_again_is_good_for_48_hours_more():
    records = ProviderRecords()
    records.add(key(1), PEERS[0], 0.0)
    records.add(key(1), PEERS[0], 40 * HOUR)
    assert len(records) == 1
    assert records.get(key(1), 87 * HOUR) == [PEERS[0]]


def test_what_nobody_asks_for_goes_away_too():
    records = ProviderRecords()
    for number in range(1_000):
        records.add(key(number), PEERS[number % 300], 0.0)
    records.add(key(5_000), PEERS[0], 48 * HOUR)
    assert len(records) == 1


def test_of_one_key_the_latest_are_kept():
    records = ProviderRecords(most_per_key=64)
    for peer in PEERS:
        records.add(key(1), peer, 0.0)
    assert records.get(key(1), 1.0) == PEERS[: -64 - 1 : -1]
    assert len(records) == 64


def test_many_identities_of_one_network_hide_nobody_elses_record():
    """As many as are kept of a key would push out everybody who came before them."""
    records = ProviderRecords(most_per_key=64)
    others = PEERS[:3]
    for number, peer in enumerate(others):
        records.add(key(1), peer, 0.0, f"network {number}")
    for peer in PEERS[3:]:
        records.add(key(1), peer, 1.0, "one network")
    found = records.get(key(1), 2.0)
    assert len(found) == 64
    assert found[1:4] == others[::-1]


def test_networks_are_told_of_in_turn_the_latest_first():
    records = ProviderRecords()
    for peer, network in zip(PEERS, "aaabbc", strict=False):
        records.add(key(1), peer, 0.0, network)
    assert records.get(key(1), 1.0) == [PEERS[number] for number in (5, 4, 2, 3, 1, 0)]


def test_many_identities_of_one_network_push_out_their_own_records():
    records = ProviderRecords(most=100)
    for number in range(5):
        records.add(key(number), PEERS[0], 0.0, "an honest network")
    for number, peer in enumerate(PEERS[1:]):
        records.add(key(1_000 + number), peer, 1.0, "one network")
    assert len(records) == 100
    assert all(records.get(key(number), 2.0) == [PEERS[0]] for number in range(5))


def test_addresses_are_those_told_last():
    records = ProviderRecords()
    records.add(key(1), PEERS[0], 0.0)
    moved = Contact(PEERS[0].peer, (b"elsewhere",))
    records.add(key(2), moved, 1.0)
    assert records.get(key(1), 2.0) == records.get(key(2), 2.0) == [moved]


def test_one_peer_that_floods_pushes_out_its_own_records_only():
    records = ProviderRecords(most=10_000)
    for number, honest in enumerate(PEERS[:100]):
        records.add(key(number), honest, 0.0)
    for number in range(100_000):
        records.add(key(1_000 + number), PEERS[200], 1.0)
    assert len(records) == 10_000
    assert all(records.get(key(number), 2.0) == [honest] for number, honest in enumerate(PEERS[:100]))
    kept = [number for number in range(100_000) if records.get(key(1_000 + number), 2.0)]
    assert kept == list(range(100_000 - 9_900, 100_000))


def test_200_peers_that_flood_share_what_is_left():
    """A thousand keys of each are twice as many as there is room for."""
    records = ProviderRecords(most=100_000)
    for number in range(200):
        records.add(key(number), PEERS[0], 0.0)
    for number in range(200 * 1_000):
        records.add(key(1_000 + number), PEERS[1 + number % 200], 1.0)
    assert len(records) == 100_000
    assert all(records.get(key(number), 2.0) == [PEERS[0]] for number in range(200))


def test_memory_is_bounded_whatever_is_told():
    """Each record of a key of its own, as long as one may be; addresses as many as are kept of a peer."""
    big = [Contact(one.peer, (bytes(MAX_ADDRESS_BYTES),)) for one in PEERS[:200]]
    records = ProviderRecords()
    tracemalloc.start()
    try:
        for number in range(105_000):
            peer = big[number % 200]
            fresh = Contact(peer.peer, (bytes(MAX_ADDRESS_BYTES - 1) + bytes([number % 256]),))
            records.add(number.to_bytes(80, "big"), fresh, 0.0)
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(records) == 100_000
    assert used < 100 << 20


@given(
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 4), st.integers(0, 20 * 3600)), max_size=60),
    st.integers(1, 12),
)
def test_the_count_is_that_of_the_records(told, most):
    records = ProviderRecords(most=most, most_per_key=3)
    now = 0.0
    for number, peer, pause in told:
        now += pause
        records.add(key(number), PEERS[peer], now)
        assert PEERS[peer] in records.get(key(number), now)
        found = [records.get(key(one), now) for one in range(9)]
        assert sum(map(len, found)) == len(records) <= most
        assert all(len(one) == len(set(one)) <= 3 for one in found)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=80))
def test_whoever_has_the_most_is_found(changes):
    shares, counts = Shares(), [0] * 6
    for number, more in changes:
        if more:
            shares.add(PEERS[number].peer)
            counts[number] += 1
        elif counts[number]:
            shares.remove(PEERS[number].peer)
            counts[number] -= 1
        if any(counts):
            largest = shares.largest()
            assert counts[[one.peer for one in PEERS].index(largest)] == max(counts)


def test_nobody_has_the_most_of_nothing():
    shares = Shares()
    shares.add(PEERS[0].peer)
    shares.remove(PEERS[0].peer)
    with pytest.raises(KeyError):
        shares.largest()
