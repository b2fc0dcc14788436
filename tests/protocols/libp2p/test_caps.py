"""How many connections strangers get, and that our own dials still find a place."""

from __future__ import annotations

import pytest
import trio

from peershelf.protocols.errors import DialFailed
from peershelf.protocols.libp2p import HostLimits
from peershelf.protocols.libp2p.addresses import endpoint


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


async def test_a_few_addresses_that_have_all_places_keep_nobody_else_out(host, eventually):
    """They come again whenever they are cut off: none is ever old enough to be closed for being too many."""
    hub = await host(limits=HostLimits(low_water=4, high_water=4, headroom=0, outbound_reserve=1))
    crowd = [await host() for _ in range(3)]
    for number, one in enumerate(crowd):
        come_from(one, f"127.0.0.{2 + number // 2}")
        await one.connect(hub.addresses()[0])
    newcomer, another = await host(), await host()
    come_from(newcomer, "127.0.0.9")
    come_from(another, "127.0.0.9")
    await newcomer.connect(hub.addresses()[0])
    await eventually(
        lambda: set(hub.peers()) == {crowd[0].local_peer, crowd[2].local_peer, newcomer.local_peer}
    )
    with pytest.raises(DialFailed, match=r"closed during the handshake|connection reset"):
        await another.connect(hub.addresses()[0])
    assert newcomer.local_peer in hub.peers()


async def test_peers_that_are_protected_or_wanted_stay_however_many_are_at_their_address(host):
    hub = await host(limits=HostLimits(low_water=2, high_water=2, headroom=0, outbound_reserve=0))
    guests = [await host() for _ in range(2)]
    for one in guests:
        hub.protect(one.local_peer, "test")
        await one.connect(hub.addresses()[0])
    newcomer = await host()
    come_from(newcomer, "127.0.0.9")
    with pytest.raises(DialFailed, match=r"closed during the handshake|connection reset"):
        await newcomer.connect(hub.addresses()[0])
    assert set(hub.peers()) == {one.local_peer for one in guests}


def come_from(network, source):
    """Have every connection of a host come from one of this machine's addresses."""

    async def connect(address):
        _, at, port = endpoint(address)
        return network._transport.adopt(await trio.open_tcp_stream(at, port, local_address=source))

    network._transport._connect_tcp = connect


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
