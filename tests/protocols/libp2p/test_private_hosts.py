"""Hosts of a private network, and those that are not in it."""

from __future__ import annotations

import os

import pytest
import trio
from echoing import ECHO, echo, echoed

from peershelf.protocols.errors import DialFailed, InvalidAddress
from peershelf.protocols.libp2p import HostLimits
from peershelf.protocols.private import GREETING, Sealing, SwarmKey

KEY = SwarmKey(bytes(range(32)))
OTHER = SwarmKey(bytes(range(1, 33)))


def port_of(host):
    return int(host.addresses()[0].split("/")[4])


@pytest.mark.parametrize("security", ["noise", "tls"])
async def test_streams_run_between_hosts_with_one_key(host, security):
    a, b = await host(security=[security], key=KEY), await host(security=[security], key=KEY)
    b.handle([ECHO], echo)
    await a.connect(b.addresses()[0])
    assert a.connections()[0].address == b.addresses()[0].partition("/p2p/")[0]
    stream = await a.open_stream(b.local_peer, [ECHO])
    data = os.urandom(3_000_000)
    assert await echoed(stream, data) == data


@pytest.mark.parametrize(("mine", "theirs"), [(KEY, OTHER), (KEY, None)])
async def test_whoever_has_another_key_or_none_is_told_apart(host, mine, theirs):
    ours, other = await host(key=mine), await host(key=theirs, limits=HostLimits(upgrade_timeout=1))
    with pytest.raises(DialFailed, match="not in this private network"):
        await ours.connect(other.addresses()[0])
    with pytest.raises(DialFailed):
        await other.connect(ours.addresses()[0])
    assert ours.peers() == other.peers() == []


async def test_nothing_is_left_of_those_who_are_not_in_the_network(host, eventually):
    ours, other, public = await host(key=KEY), await host(key=OTHER), await host()
    for stranger in (other, public):
        for _ in range(5):
            with pytest.raises(DialFailed):
                await stranger.connect(ours.addresses()[0])
    await eventually(lambda: not ours._transport._streams)
    assert len(ours._transport.inbound) == 0


STRANGERS = {
    "a public peer": GREETING + b"\x07/noise\n",
    "garbage": os.urandom(10_000),
    "another key": Sealing(OTHER).seal(GREETING),
}


@pytest.mark.parametrize("says", STRANGERS.values(), ids=STRANGERS)
async def test_a_stranger_is_closed_at_once(host, says):
    """Nobody waits for the handshake's deadline, which is beyond that of the test."""
    ours = await host(key=KEY, limits=HostLimits(upgrade_timeout=1_000))
    async with await trio.open_tcp_stream("127.0.0.1", port_of(ours)) as stranger:
        with trio.fail_after(20):
            await stranger.send_all(says)
            try:
                while await stranger.receive_some():
                    pass
            except trio.BrokenResourceError:  # closed with bytes unread
                pass


async def test_one_who_is_silent_is_closed_at_the_deadline(host, eventually):
    ours = await host(key=KEY, limits=HostLimits(upgrade_timeout=0.3))
    async with await trio.open_tcp_stream("127.0.0.1", port_of(ours)) as stranger:
        await stranger.send_all(bytes(23))
        await eventually(lambda: len(ours._transport.inbound) == 1)
        with trio.fail_after(5):
            while await stranger.receive_some():
                pass


async def test_nothing_is_said_in_the_clear(host):
    """A listener in the middle sees a nonce and what looks like chance."""
    a, b = await host(key=KEY), await host(key=KEY)
    seen = []

    async def forward(source, sink):
        with trio.CancelScope():
            async for data in source:
                seen.append(bytes(data))
                await sink.send_all(data)

    async def between(tcp):
        async with await trio.open_tcp_stream("127.0.0.1", port_of(b)) as onward, trio.open_nursery() as both:
            both.start_soon(forward, tcp, onward)
            both.start_soon(forward, onward, tcp)

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(trio.serve_tcp, between, 0)
        port = listeners[0].socket.getsockname()[1]
        await a.connect(f"/ip4/127.0.0.1/tcp/{port}/p2p/{b.local_peer}")
        nursery.cancel_scope.cancel()
    assert len(b"".join(seen)) > 500
    for word in (b"multistream", b"noise", b"ipfs", b"yamux"):
        assert word not in b"".join(seen)


async def test_a_private_network_has_no_websocket(host, make_host):
    with pytest.raises(InvalidAddress, match="a private network has no WebSocket"):
        make_host(key=KEY, websocket=True, listen=["/ip4/127.0.0.1/tcp/0/ws"])
    ours, other = await host(key=KEY, websocket=True), await host(key=KEY)
    address = other.addresses()[0].replace("/p2p/", "/ws/p2p/")
    with pytest.raises(InvalidAddress, match="a private network has no WebSocket"):
        await ours.connect(address)
    with pytest.raises(DialFailed, match="a private network has no WebSocket"):
        await ours.reach(other.local_peer, [address])
