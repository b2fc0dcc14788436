"""Hosts that speak WebSocket, where it is switched on."""

from __future__ import annotations

import pytest
import trio
from echoing import ECHO, echo, echoed

from peershelf.protocols.errors import DialFailed, InvalidAddress
from peershelf.protocols.libp2p import HostLimits

WEBSOCKET = "/ip4/127.0.0.1/tcp/0/ws"
BOTH = [WEBSOCKET, "/ip4/127.0.0.1/tcp/0"]


@pytest.mark.parametrize("security", ["noise", "tls"])
@pytest.mark.parametrize("listen", [WEBSOCKET, "/ip6/::1/tcp/0/ws"])
async def test_streams_run_over_websocket(host, security, listen):
    a = await host(security=[security], websocket=True)
    b = await host(security=[security], websocket=True, listen=[listen])
    b.handle([ECHO], echo)
    await a.connect(b.addresses()[0])
    stream = await a.open_stream(b.local_peer, [ECHO])
    data = bytes(range(256)) * 4_000
    assert await echoed(stream, data) == data


async def test_addresses_and_connections_say_so(host):
    a, b = await host(websocket=True), await host(websocket=True, listen=[WEBSOCKET])
    (address,) = b.addresses()
    assert f"/ws/p2p/{b.local_peer}" in address
    await a.connect(address)
    assert f"{a.connections()[0].address}/p2p/{b.local_peer}" == address
    assert b.connections()[0].address.endswith("/ws")


async def test_plain_tcp_and_names_work_beside_it(host):
    a, b = await host(websocket=True), await host(websocket=True, listen=BOTH)
    ports = [address.split("/")[4] for address in b.addresses()]
    await a.connect(f"/dns4/localhost/tcp/{ports[0]}/ws/p2p/{b.local_peer}")
    await a.disconnect(b.local_peer)
    await a.reach(b.local_peer, b.addresses())
    assert not a.connections()[0].address.endswith("/ws"), "plain TCP costs less and is preferred"


async def test_every_interface_is_listed_with_it(host):
    b = await host(websocket=True, listen=["/ip4/0.0.0.0/tcp/0/ws"])
    assert b.addresses()
    assert all("/ws/p2p/" in address for address in b.addresses())


async def test_a_host_without_it_neither_dials_nor_listens(host, make_host):
    with pytest.raises(InvalidAddress, match="WebSocket is switched off"):
        make_host(listen=[WEBSOCKET])
    a, b = await host(), await host(websocket=True, listen=BOTH)
    with pytest.raises(InvalidAddress, match="WebSocket is switched off"):
        await a.connect(b.addresses()[0])
    await a.reach(b.local_peer, b.addresses())
    assert a.peers() == [b.local_peer]


async def test_a_listener_that_speaks_something_else_is_told_apart(host):
    a, b = await host(websocket=True, limits=HostLimits(dial_timeout=2)), await host()
    address = b.addresses()[0].replace("/p2p/", "/ws/p2p/")
    with pytest.raises(DialFailed, match=r"does not speak WebSocket$"):
        await a.connect(address)
    assert not a._transport._streams


async def test_a_stranger_who_says_nothing_is_closed_in_time(host, eventually):
    b = await host(websocket=True, listen=[WEBSOCKET], limits=HostLimits(upgrade_timeout=0.3))
    port = int(b.addresses()[0].split("/")[4])
    async with await trio.open_tcp_stream("127.0.0.1", port) as stranger:
        await eventually(lambda: len(b._transport.inbound.half_open) == 1)
        with trio.fail_after(2):
            assert await stranger.receive_some() == b""
    assert len(b._transport.inbound) == 0


async def test_connections_that_came_and_went_leave_nothing_behind(host, eventually):
    a, b = await host(websocket=True), await host(websocket=True, listen=[WEBSOCKET])
    before = trio.lowlevel.current_statistics().tasks_living
    for _ in range(10):
        await a.connect(b.addresses()[0])
        await a.disconnect(b.local_peer)
    await eventually(lambda: not b._transport._streams)
    await eventually(lambda: trio.lowlevel.current_statistics().tasks_living == before)
    assert not a._transport._streams
