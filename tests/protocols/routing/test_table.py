"""The routing table: who gets a place in it, and who is near."""

from __future__ import annotations

import random
import time
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from kad_world import new_peer

from peershelf.protocols.multiaddrs import network_of
from peershelf.protocols.routing.kad import keys
from peershelf.protocols.routing.kad.keys import key_of_peer, shared_bits
from peershelf.protocols.routing.kad.messages import Contact, Kind, Message
from peershelf.protocols.routing.kad.providers import ProviderRecords
from peershelf.protocols.routing.kad.scope import WAN
from peershelf.protocols.routing.kad.server import Answerer
from peershelf.protocols.routing.kad.table import K, RoutingTable
from peershelf.protocols.routing.kad.values import Values

HOUR = 3600.0


def full(rng: random.Random, count: int, *, size: int = K) -> RoutingTable:
    table = RoutingTable(new_peer(rng), size=size)
    for _ in range(count):
        table.heard(Contact(new_peer(rng), (b"\4" + rng.randbytes(4),)), 0.0)
    return table


def test_no_bucket_has_more_than_its_size():
    rng = random.Random(1)
    own = new_peer(rng)
    table = RoutingTable(own)
    for _ in range(3_000):
        table.heard(Contact(new_peer(rng)), 0.0)
    sizes = Counter(shared_bits(key_of_peer(own), key_of_peer(one.peer)) for one in table)
    assert max(sizes.values()) == K
    assert [sizes[number] for number in range(6)] == [K] * 6
    assert len(table) == sum(sizes.values())


def test_we_are_never_in_it():
    rng = random.Random(2)
    own = new_peer(rng)
    table = RoutingTable(own)
    assert not table.heard(Contact(own), 0.0)
    table.failed(own)
    assert own not in table
    assert len(table) == 0


def in_bucket_0(rng: random.Random, own, count: int) -> list[Contact]:
    found = (Contact(new_peer(rng)) for _ in range(100 * count))
    far = [one for one in found if not shared_bits(key_of_peer(own), key_of_peer(one.peer))]
    return far[:count]


def test_a_newcomer_gets_the_place_of_one_that_was_silent_for_an_hour_only():
    rng = random.Random(3)
    own = new_peer(rng)
    table = RoutingTable(own)
    *first, silent, newcomer = in_bucket_0(rng, own, K + 1)
    for one in (silent, *first):
        assert table.heard(one, 0.0)
    assert not table.heard(newcomer, HOUR - 1)
    for one in first:
        table.heard(one, HOUR - 1)
    assert table.heard(newcomer, HOUR)
    assert silent.peer not in table
    assert all(one.peer in table for one in first)


def test_who_fails_makes_room():
    rng = random.Random(4)
    own = new_peer(rng)
    table = RoutingTable(own)
    *first, newcomer = in_bucket_0(rng, own, K + 1)
    for one in first:
        table.heard(one, 0.0, group="one of few" if one is first[0] else None)
    assert not table.heard(newcomer, 0.0)
    table.failed(first[0].peer)
    assert table.heard(newcomer, 0.0)


def test_a_thousand_peers_of_one_network_get_twelve_places():
    rng = random.Random(5)
    own = new_peer(rng)
    table = RoutingTable(own)
    for _ in range(1_000):
        address = bytes([4, 8, 8]) + rng.randbytes(2) + bytes([6, 15, 161])
        table.heard(Contact(new_peer(rng), (address,)), 0.0, group=network_of(address))
    assert len(table) == 12
    per_bucket = Counter(shared_bits(key_of_peer(own), key_of_peer(one.peer)) for one in table)
    assert max(per_bucket.values()) == 3


def test_nor_do_a_thousand_that_have_names_alone():
    rng = random.Random(6)
    table = RoutingTable(new_peer(rng))
    for number in range(1_000):
        address = bytes([0x36, 6]) + b"x%05d" % number
        table.heard(Contact(new_peer(rng), (address,)), 0.0, group=network_of(address))
    assert len(table) == 12


def test_nobody_moves_to_where_there_is_no_place():
    rng = random.Random(7)
    table = RoutingTable(new_peer(rng))
    peers = [new_peer(rng) for _ in range(1_000)]
    for number, peer in enumerate(peers):
        table.heard(Contact(peer), 0.0, group=f"network {number}")
    assert len(table) > 100
    for peer in peers:
        table.heard(Contact(peer), 1.0, group="all the same")
        table.heard(Contact(peer), 1.0, group="all the same")
    assert len(table) == 12


@given(seed=st.integers(0, 2**32), count=st.integers(0, 60), wanted=st.integers(1, 30))
def test_the_nearest_are_the_nearest(seed, count, wanted):
    """And in this order: by a walk over the buckets as by looking at all."""
    rng = random.Random(seed)
    table = full(rng, count)
    key = rng.getrandbits(256)
    everybody = sorted((one.peer for one in table), key=lambda peer: key_of_peer(peer) ^ key)
    assert [one.peer for one in table.closest(key, wanted)] == everybody[:wanted]
    if everybody:
        without = [one.peer for one in table.closest(key, wanted, leave_out=everybody[0])]
        assert without == everybody[1:][:wanted]


def test_of_a_thousand_peers_an_answer_takes_less_than_a_millisecond():
    """Also where strangers have filled the caches with other peers."""
    rng = random.Random(8)
    table = full(rng, 1_000, size=1_000)
    assert len(table) == 1_000
    answerer = Answerer(WAN, table, ProviderRecords(), Values(lambda: 0.0))
    asker = new_peer(rng)
    for kind in (Kind.FIND_NODE, Kind.GET_PROVIDERS):
        took = []
        for _ in range(50):
            keys.key_of_peer.cache_clear()
            keys.peer_bytes.cache_clear()
            start = time.thread_time()
            answer = answerer.answer(asker, Message(kind, rng.randbytes(34)), 0.0)
            took.append(time.thread_time() - start)
            assert answer is not None
            assert len(answer.closer) == K
        assert sorted(took)[len(took) // 2] < 0.001, kind
