"""Dialing one peer at many addresses: what wins, what is left behind, and how much is tried."""

from __future__ import annotations

import threading
from functools import partial

import pytest
import trio
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.peer.id import ID

from peershelf.protocols.errors import DialedTooSoon, DialFailed, InvalidAddress
from peershelf.protocols.libp2p import HostLimits, resolve
from peershelf.protocols.libp2p.addresses import usable_targets

OTHER_PEER = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"


@pytest.fixture
def callers():
    """The connections that `silent` listeners hold now."""
    return []


@pytest.fixture
def silent(nursery, callers):
    """`await silent(3)` gives the addresses of three listeners that accept and say nothing."""

    async def hold(stream):
        callers.append(stream)
        try:
            while await stream.receive_some():
                pass
        except trio.BrokenResourceError:
            pass
        finally:
            callers.remove(stream)

    async def start(count):
        where = []
        for _ in range(count):
            (listener,) = await nursery.start(partial(trio.serve_tcp, hold, 0, host="127.0.0.1"))
            where.append(f"/ip4/127.0.0.1/tcp/{listener.socket.getsockname()[1]}")
        return where

    return start


async def test_of_many_addresses_the_one_that_answers_wins(host, silent, callers):
    a, b = await host(), await host()
    listeners = await silent(2)
    refused = "/ip4/127.0.0.1/tcp/1"
    with trio.fail_after(5):
        await a.reach(b.local_peer, [*listeners, refused, *b.addresses()])
    assert a.peers() == [b.local_peer]
    assert len(a.connections()) == 1


async def test_a_user_may_name_several_addresses_of_one_peer_and_of_one_only(host):
    a, b, c = await host(), await host(), await host()
    refused = f"/ip4/127.0.0.1/tcp/1/p2p/{b.local_peer}"
    assert await a.connect(refused, *b.addresses()) == b.local_peer
    with pytest.raises(InvalidAddress, match="more than one peer"):
        await a.connect(*b.addresses(), *c.addresses())


async def test_those_that_lost_leave_no_socket_task_or_place_behind(host, eventually, silent, callers):
    a, b = await host(limits=HostLimits(dials=4)), await host()
    listeners = await silent(2)
    before = trio.lowlevel.current_statistics().tasks_living
    for _ in range(5):
        await a.reach(b.local_peer, [*listeners, *b.addresses()])
        await eventually(lambda: len(callers) == 0)
        assert len(a._transport._streams) == 1
        await a.disconnect(b.local_peer)
        await eventually(lambda: not b.peers())
    await eventually(lambda: trio.lowlevel.current_statistics().tasks_living == before)
    assert not a._transport._streams


async def test_a_dial_that_is_cancelled_leaves_nothing_behind(host, eventually, silent, callers):
    a = await host(limits=HostLimits(dials=3))
    listeners = await silent(4)
    for _ in range(3):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(a.reach, OTHER_PEER, listeners)
            await eventually(lambda: len(callers) == 2)
            nursery.cancel_scope.cancel()
        assert not a._transport._streams
        await eventually(lambda: len(callers) == 0)


async def test_no_more_addresses_are_dialed_at_a_time_than_allowed(host, eventually, silent, callers):
    a = await host(limits=HostLimits(dials=3, dial_timeout=1.5))
    listeners = await silent(4)
    most = 0
    async with trio.open_nursery() as nursery:

        async def dial():
            with pytest.raises(DialFailed, match="timed out"):
                await a.reach(OTHER_PEER, listeners)
            nursery.cancel_scope.cancel()

        nursery.start_soon(dial)
        while True:
            most = max(most, len(callers))
            await trio.sleep(0.02)
    assert most == 2


async def test_what_the_node_dials_does_not_hold_up_a_user(host, eventually, silent, callers, nursery):
    a, b = await host(limits=HostLimits(dials=4)), await host()
    nursery.start_soon(a.reach, OTHER_PEER, await silent(6))
    await eventually(lambda: len(callers) == 3)
    with trio.fail_after(3):
        await a.connect(b.addresses()[0])
    nursery.cancel_scope.cancel()


async def test_every_address_has_its_reason_and_all_share_one_deadline(host, silent, callers):
    a = await host(limits=HostLimits(dial_timeout=0.6))
    listeners = await silent(3)
    with trio.fail_after(2), pytest.raises(DialFailed) as caught:
        await a.reach(OTHER_PEER, ["/ip4/127.0.0.1/tcp/1", *listeners[:2]])
    text = str(caught.value)
    assert "/ip4/127.0.0.1/tcp/1: connection refused" in text
    assert text.count("timed out after 0.6 s") == 2


async def test_a_peer_of_another_name_at_one_address_does_not_keep_from_the_next(host):
    a, b, impostor = await host(), await host(), await host()
    elsewhere = impostor.addresses()[0].replace(impostor.local_peer, b.local_peer)
    await a.reach(b.local_peer, [elsewhere, *b.addresses()])
    assert a.peers() == [b.local_peer]


async def test_only_so_many_of_a_peers_addresses_are_tried(host):
    a = await host(limits=HostLimits(addresses_per_dial=3))
    with pytest.raises(DialFailed) as caught:
        await a.reach(OTHER_PEER, [f"/ip4/127.0.0.{last}/tcp/1" for last in range(1, 9)])
    assert str(caught.value).count("refused") == 3


async def test_the_best_are_among_those_that_are_tried(host):
    a, b = await host(limits=HostLimits(addresses_per_dial=2)), await host()
    world = [f"/ip4/192.0.2.{last}/tcp/1" for last in range(1, 9)]
    await a.reach(b.local_peer, [*world, *b.addresses()])
    assert a.peers() == [b.local_peer]


async def test_addresses_of_other_kinds_and_other_peers_are_left_out(host):
    a, b = await host(), await host()
    bare = b.addresses()[0].partition("/p2p/")[0]
    strange = ["garbage", "/ip4/127.0.0.1/udp/1/quic-v1", f"/ip4/127.0.0.1/tcp/1/p2p/{OTHER_PEER}"]
    with pytest.raises(DialFailed, match="no address that can be dialed"):
        await a.reach(b.local_peer, strange)
    await a.reach(b.local_peer, [*strange, bare])
    assert a.peers() == [b.local_peer]


async def test_what_a_user_asks_for_is_dialed_at_others_addresses_without_a_pause(host):
    a, b = await host(), await host()
    dead = f"/ip4/127.0.0.1/tcp/1/p2p/{b.local_peer}"
    with pytest.raises(DialFailed):
        await a.reach(b.local_peer, [dead])
    with pytest.raises(DialFailed, match="refused"):
        await a.connect_at(b.local_peer, [dead, "garbage"])
    await a.connect_at(b.local_peer, ["garbage", *b.addresses()])
    await a.connect_at(b.local_peer, [])
    assert a.peers() == [b.local_peer]


async def test_a_name_that_leads_nowhere_does_not_keep_from_other_addresses(host):
    a, b = await host(), await host()
    await a.reach(b.local_peer, ["/dns/nowhere.invalid/tcp/4001", *b.addresses()])
    assert a.peers() == [b.local_peer]


async def test_a_host_does_not_reach_for_itself(host):
    a = await host()
    with pytest.raises(InvalidAddress, match="own peer ID"):
        await a.reach(a.local_peer, a.addresses())


async def test_what_failed_lately_is_not_dialed_again_by_itself_but_by_a_user(host, make_host, nursery):
    with trio.socket.socket() as reserved:
        await reserved.bind(("127.0.0.1", 0))
        where = f"/ip4/127.0.0.1/tcp/{reserved.getsockname()[1]}"
    a, gone = await host(), make_host(listen=[where])
    with pytest.raises(DialFailed, match="refused"):
        await a.reach(gone.local_peer, [where])
    with pytest.raises(DialedTooSoon) as caught:
        await a.reach(gone.local_peer, [where])
    assert 0 < caught.value.seconds <= 5
    await nursery.start(gone.run)
    await a.connect(gone.addresses()[0])
    await a.disconnect(gone.local_peer)
    await a.reach(gone.local_peer, [where])


async def test_another_address_of_the_peer_is_dialed_meanwhile(host):
    a, b = await host(), await host()
    refused = "/ip4/127.0.0.1/tcp/1"
    with pytest.raises(DialFailed):
        await a.reach(b.local_peer, [refused])
    await a.reach(b.local_peer, [refused, *b.addresses()])
    assert a.peers() == [b.local_peer]


async def test_who_was_merely_slower_than_the_winner_has_no_pause(host, silent):
    a, b = await host(), await host()
    (slow,) = await silent(1)
    targets = usable_targets(b.local_peer, [slow, "/ip4/127.0.0.1/tcp/1", *b.addresses()])
    await a.reach(b.local_peer, [str(target.where) for target in targets])
    now = trio.current_time()
    pauses = [a._dialer._backoff.remaining(target, now) > 0 for target in targets]
    assert pauses == [False, True, False]


async def test_a_name_that_cannot_be_resolved_has_a_pause_too(host):
    a = await host()
    for expected in ("cannot be resolved", "next try in"):
        with pytest.raises(DialFailed, match=expected):
            await a.reach(OTHER_PEER, ["/dns/nowhere.invalid/tcp/4001"])


async def test_a_name_fails_only_when_all_its_addresses_do(host, monkeypatch):
    a, b = await host(), await host()
    port = int(b.addresses()[0].split("/")[4])
    tcp = (trio.socket.AF_INET, trio.socket.SOCK_STREAM, 6, "")

    def look_up(*_args):
        return [(*tcp, (address, port)) for address in ("127.0.0.2", "127.0.0.1")]

    monkeypatch.setattr(resolve, "look_up_name", look_up)
    (name,) = usable_targets(b.local_peer, [f"/dns/node.example/tcp/{port}"])
    await a.reach(b.local_peer, [str(name.where)])
    assert a._dialer._backoff.remaining(name, trio.current_time()) == 0


async def test_names_that_nobody_answers_for_take_no_threads_from_others(host, monkeypatch, nursery):
    """A stranger may tell of peers at such names, and a look-up has its thread until it ends."""
    a, held = await host(limits=HostLimits(dial_timeout=1)), threading.Semaphore(0)

    def look_up(*_args):
        held.acquire()
        return []

    async def dial(names):
        with pytest.raises(DialFailed, match="timed out"):
            await a.reach(make_up(), names)

    monkeypatch.setattr(resolve, "look_up_name", look_up)
    try:
        async with trio.open_nursery() as dials:
            for peer in range(10):
                dials.start_soon(dial, [f"/dns/{peer}-{name}.example/tcp/1" for name in range(16)])
        with trio.fail_after(2):
            await trio.to_thread.run_sync(lambda: None)
    finally:
        held.release(1_000)


async def test_silent_addresses_by_the_hundred_hold_up_nobody_else(host, silent):
    """Ten made-up peers of sixteen addresses each: more than a search asks for at a time."""
    a, b = await host(), await host()
    listeners = await silent(160)
    async with trio.open_nursery() as dials:
        for first in range(0, 160, 16):
            dials.start_soon(fail_to_reach, a, listeners[first : first + 16])
        await trio.sleep(2)  # by then they have all places
        with trio.fail_after(5):
            await a.reach(b.local_peer, b.addresses())
        dials.cancel_scope.cancel()


async def fail_to_reach(host, addresses):
    with pytest.raises(DialFailed):
        await host.reach(make_up(), addresses)


def make_up():
    """The ID of a peer that there is not."""
    return str(ID.from_pubkey(create_new_key_pair().public_key))


async def test_a_full_host_does_not_try_in_a_tight_loop(host):
    a, b = await host(limits=HostLimits(low_water=1, high_water=1, headroom=0)), await host()
    await a.connect(b.addresses()[0])
    for expected in ("as many connections as it allows itself", "next try in"):
        with pytest.raises(DialFailed, match=expected):
            await a.reach(OTHER_PEER, ["/ip4/127.0.0.1/tcp/1"])


async def test_a_peer_is_seen_where_its_connection_leads(host, eventually):
    a, b = await host(), await host()
    assert a.seen_at(b.local_peer) is None
    await a.connect(*b.addresses())
    assert a.seen_at(b.local_peer) in b.own_addresses()
    await eventually(lambda: b.seen_at(a.local_peer) is not None)
    # On the side that was dialed it is the port that the dialer happened to have.
    assert b.seen_at(a.local_peer)[:5] == a.own_addresses()[0][:5]
    assert b.seen_at(a.local_peer) not in a.own_addresses()
    await a.disconnect(b.local_peer)
    await eventually(lambda: b.seen_at(a.local_peer) is None)
