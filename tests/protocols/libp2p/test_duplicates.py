"""One connection per peer, also for two that dial each other at the same moment."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import trio
from echoing import ECHO, echo
from libp2p.peer.id import ID

from peershelf.protocols.libp2p import HostLimits, keeper
from peershelf.protocols.libp2p.addresses import Multiaddr
from peershelf.protocols.libp2p.duplicates import SIMULTANEOUS, is_smaller, kept


@dataclass(eq=False)
class Link:
    since: float
    is_outbound: bool


@pytest.mark.parametrize("ours_first", [True, False])
@pytest.mark.parametrize("order", [1, -1])
def test_of_two_that_came_up_together_the_smaller_peers_one_is_kept(ours_first, order):
    dialed, accepted = Link(100.0, True), Link(100.3, False)
    assert kept([dialed, accepted][::order], ours_first=ours_first) is (dialed if ours_first else accepted)


def test_two_sides_keep_the_same_one_whatever_they_see_first():
    for ours_first in (True, False):
        here = [Link(1.0, True), Link(1.1, False)]
        there = [Link(1.0, True), Link(1.1, False)]  # their outbound one is our inbound one
        mine = kept(here, ours_first=ours_first)
        theirs = kept(there, ours_first=not ours_first)
        assert mine.is_outbound != theirs.is_outbound


@pytest.mark.parametrize("ours_first", [True, False])
@pytest.mark.parametrize("outbound", [True, False])
def test_a_peer_that_comes_again_later_is_believed(ours_first, outbound):
    old, new = Link(0.0, not outbound), Link(SIMULTANEOUS + 1, outbound)
    assert kept([old, new], ours_first=ours_first) is new


def test_of_two_in_the_same_direction_the_newest_is_kept():
    links = [Link(0.0, False), Link(0.1, False)]
    assert kept(links, ours_first=True) is links[1]


@pytest.fixture
def quick(monkeypatch):
    """Superseded connections are looked at sooner than in the field."""
    monkeypatch.setattr(keeper, "SETTLE", 0.1)
    monkeypatch.setattr(keeper, "DRAIN_INTERVAL", 0.01)


class Journal:
    """Counts the peers that left."""

    def __init__(self):
        self.left = 0

    def peer_connected(self, peer):
        pass

    def peer_disconnected(self, peer):
        self.left += 1


def by_size(a, b):
    return (a, b) if is_smaller(a.local_peer, b.local_peer) else (b, a)


async def meet(a, b):
    """Dial each other at the same moment."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(a.connect, b.addresses()[0])
        nursery.start_soon(b.connect, a.addresses()[0])


async def stock_dial(a, b):
    """Connect once more, connected or not: what a peer that has lost its state does."""
    await a._swarm.dial_addr(Multiaddr(b.addresses()[0]), ID.from_base58(b.local_peer))


async def test_two_hosts_that_dial_each_other_at_once_are_left_with_one_connection(host, eventually, quick):
    a, b = await host(), await host()
    doubled = 0
    for _ in range(20):
        await meet(a, b)
        doubled += len(a.connections()) == 2
        await eventually(lambda: len(a.connections()) == len(b.connections()) == 1)
        await a.ping(b.local_peer)
        await b.ping(a.local_peer)
        await a.disconnect(b.local_peer)
        await eventually(lambda: not b.peers())
    assert doubled


async def test_in_a_crowd_that_dials_all_at_once_every_pair_is_left_with_one(host, eventually, quick):
    crowd = [await host() for _ in range(5)]
    journals = [Journal() for _ in crowd]
    for one, journal in zip(crowd, journals, strict=True):
        one.listen_to_peers(journal)
    async with trio.open_nursery() as nursery:
        for one in crowd:
            for other in crowd:
                if one is not other:
                    nursery.start_soon(one.connect, other.addresses()[0])
    await eventually(lambda: all(len(one.connections()) == len(crowd) - 1 for one in crowd))
    assert all(len(one.peers()) == len(crowd) - 1 for one in crowd)
    assert not any(journal.left for journal in journals)


async def test_the_smaller_peers_connection_is_the_one_that_stays(host, eventually, quick):
    a, b = await host(), await host()
    small, great = by_size(a, b)
    await stock_dial(small, great)
    await stock_dial(great, small)
    await eventually(lambda: len(a.connections()) == len(b.connections()) == 1)
    assert small.connections()[0].direction == "outbound"
    assert great.connections()[0].direction == "inbound"


async def test_a_stream_on_the_connection_that_goes_ends_first(host, eventually, quick):
    a, b = await host(), await host()
    small, great = by_size(a, b)
    for one in (a, b):
        one.handle([ECHO], echo)
    await stock_dial(great, small)
    (doomed,) = small._keeper.table
    in_flight = await great.open_stream(small.local_peer, [ECHO])
    await stock_dial(small, great)
    await eventually(lambda: doomed in small._keeper._retiring)
    assert small._keeper.table.best(great.local_peer) is not doomed
    for number in range(50):
        await in_flight.send_all(bytes([number]) * 10_000)
        received = b""
        while len(received) < 10_000:
            received += await in_flight.receive_some()
        await trio.sleep(keeper.DRAIN_INTERVAL)
    assert doomed in list(small._keeper.table)
    await in_flight.aclose()
    await eventually(lambda: len(a.connections()) == len(b.connections()) == 1)


async def test_a_stream_that_never_ends_holds_the_old_connection_only_so_long(host, eventually, quick):
    limits = HostLimits(drain=0.3)
    a, b = await host(limits=limits), await host(limits=limits)
    small, great = by_size(a, b)
    small.handle([ECHO], echo)
    await stock_dial(great, small)
    await great.open_stream(small.local_peer, [ECHO])
    await stock_dial(small, great)
    await eventually(lambda: len(a.connections()) == len(b.connections()) == 1)
    assert small.connections()[0].direction == "outbound"


async def test_the_greater_peer_closes_where_the_smaller_one_does_not(host, eventually, quick, monkeypatch):
    a, b = await host(), await host()
    small, great = by_size(a, b)
    monkeypatch.setattr(small._keeper, "_settle", lambda peer: None)  # as Kubo, which keeps them all
    monkeypatch.setattr(keeper, "MOP_UP", 0.2)
    await stock_dial(great, small)
    await stock_dial(small, great)
    assert len(great.connections()) == 2
    await eventually(lambda: len(a.connections()) == len(b.connections()) == 1)
    await great.ping(small.local_peer)


async def test_where_the_kept_connection_ends_the_other_stays(host, eventually, quick):
    a, b = await host(), await host()
    small, great = by_size(a, b)
    await stock_dial(great, small)
    await stock_dial(small, great)
    (retired,) = small._keeper._retiring
    small._keeper.close(small._keeper.table.best(great.local_peer))
    await eventually(lambda: not small._keeper._retiring)
    assert list(small._keeper.table) == [retired]
    await eventually(lambda: len(great.connections()) == 1)
    await small.ping(great.local_peer)
    assert len(small.connections()) == len(great.connections()) == 1


async def test_a_peer_that_keeps_dialing_holds_no_more_than_its_share(host, eventually):
    limits = HostLimits(connections_per_peer=2)
    a, b = await host(), await host(limits=limits)
    for _ in range(6):
        await stock_dial(a, b)
    await eventually(lambda: len(b.connections()) <= 2)
    assert b.peers() == [a.local_peer]
    assert await b.ping(a.local_peer) > 0
