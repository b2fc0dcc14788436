"""Who is told of peers that come and leave, and how often."""

from __future__ import annotations

import pytest
import trio

from peershelf.protocols.errors import PeerNotConnected


class Journal:
    """Writes down what it is told; `news` is set on every entry."""

    def __init__(self):
        self.entries = []

    def peer_connected(self, peer):
        self.entries.append(("+", peer))

    def peer_disconnected(self, peer):
        self.entries.append(("-", peer))


async def test_each_coming_and_leaving_is_told_once_on_both_sides(host, eventually):
    a, b = await host(), await host()
    ours, theirs = Journal(), Journal()
    a.listen_to_peers(ours)
    b.listen_to_peers(theirs)
    for _ in range(3):
        await a.connect(b.addresses()[0])
        await a.disconnect(b.local_peer)
        await eventually(lambda: len(theirs.entries) % 2 == 0)
    assert ours.entries == [("+", b.local_peer), ("-", b.local_peer)] * 3
    assert theirs.entries == [("+", a.local_peer), ("-", a.local_peer)] * 3


async def test_a_peer_with_two_connections_comes_once_and_leaves_once(host, eventually):
    a, b = await host(), await host()
    journal = Journal()
    a.listen_to_peers(journal)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(a.connect, b.addresses()[0])
        nursery.start_soon(b.connect, a.addresses()[0])
    await eventually(lambda: len(a.connections()) == len(b.connections()) == 2)
    assert (a.peers(), journal.entries) == ([b.local_peer], [("+", b.local_peer)])
    await a.disconnect(b.local_peer)
    await eventually(lambda: not b.peers())
    assert journal.entries == [("+", b.local_peer), ("-", b.local_peer)]


async def test_peers_that_are_here_already_are_told_at_once(host):
    a, b = await host(), await host()
    await a.connect(b.addresses()[0])
    journal = Journal()
    a.listen_to_peers(journal)
    assert journal.entries == [("+", b.local_peer)]


async def test_a_listener_that_fails_keeps_the_news_from_nobody(host):
    class Broken:
        def peer_connected(self, peer):
            raise ValueError(peer)

        peer_disconnected = peer_connected

    a, b = await host(), await host()
    journal = Journal()
    a.listen_to_peers(Broken())
    a.listen_to_peers(journal)
    await a.connect(b.addresses()[0])
    await a.disconnect(b.local_peer)
    assert [what for what, _ in journal.entries] == ["+", "-"]


async def test_peers_leave_when_the_host_ends(make_host, nursery):
    a, b = make_host(), make_host()
    journal = Journal()
    a.listen_to_peers(journal)
    async with trio.open_nursery() as running:
        await running.start(a.run)
        await running.start(b.run)
        await a.connect(b.addresses()[0])
        running.cancel_scope.cancel()
    assert journal.entries == [("+", b.local_peer), ("-", b.local_peer)]
    assert a.peers() == []


async def test_a_peer_that_is_not_connected_cannot_be_disconnected(host):
    a, b = await host(), await host()
    with pytest.raises(PeerNotConnected):
        await a.disconnect(b.local_peer)
