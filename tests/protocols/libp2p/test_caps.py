"""How many connections strangers get, and that our own dials still find a place."""

from __future__ import annotations

import pytest
import trio

from peershelf.protocols.errors import DialFailed
from peershelf.protocols.libp2p import HostLimits


async def test_strangers_leave_places_for_our_own_dials(host):
    limits = HostLimits(low_water=4, high_water=4, headroom=0, outbound_reserve=2)
    hub = await host(limits=limits)
    strangers = [await host() for _ in range(4)]
    refused = 0
    for stranger in strangers:
        try:
            await stranger.connect(hub.addresses()[0])
        except DialFailed:
            refused += 1
    assert refused == 2
    ours = [await host() for _ in range(3)]
    for other in ours[:2]:
        await hub.connect(other.addresses()[0])
    with pytest.raises(DialFailed, match="as many connections as it allows itself"):
        await hub.connect(ours[2].addresses()[0])
    assert len(hub.connections()) == 4


async def test_one_address_gets_only_its_share_until_somebody_leaves(host, eventually):
    hub = await host(limits=HostLimits(connections_per_local_address=2))
    first, second, third = [await host() for _ in range(3)]
    await first.connect(hub.addresses()[0])
    await second.connect(hub.addresses()[0])
    with pytest.raises(DialFailed, match=r"closed during the handshake|connection reset"):
        await third.connect(hub.addresses()[0])
    await first.disconnect(hub.local_peer)
    await eventually(lambda: len(hub._transport.inbound) == 1)
    await third.connect(hub.addresses()[0])
    assert set(hub.peers()) == {second.local_peer, third.local_peer}


async def test_who_is_refused_is_refused_before_any_handshake(host):
    hub, guest = await host(limits=HostLimits(connections_per_local_address=1)), await host()
    await guest.connect(hub.addresses()[0])
    port = int(hub.addresses()[0].split("/")[4])
    with trio.fail_after(2):
        async with await trio.open_tcp_stream("127.0.0.1", port) as stranger:
            assert await stranger.receive_some() == b""
    assert hub.peers() == [guest.local_peer]


async def test_connections_that_came_and_went_leave_every_place_free(host, eventually):
    hub, guest = await host(), await host()
    for _ in range(20):
        await guest.connect(hub.addresses()[0])
        await guest.disconnect(hub.local_peer)
    await eventually(lambda: len(hub._transport.inbound) == 0)
    assert len(hub._transport.inbound.half_open) == 0
