"""Connections between our host and Kubo's: both directions, both secure channels, identify, ping."""

from __future__ import annotations

import json

import pytest

SECURITY = {"noise": "/noise", "tls": "/tls/1.0.0"}


@pytest.fixture(params=list(SECURITY))
def security(request):
    return request.param


async def test_we_dial_kubo(kubo, host, security):
    node = await kubo(security=[security])
    ours = await host(security=[security])
    assert await ours.connect(node.address) == node.peer_id
    (connection,) = ours.connections()
    assert (connection.direction, connection.security) == ("outbound", SECURITY[security])
    assert await node.peers() == [ours.local_peer]


async def test_kubo_dials_us(kubo, host, security, eventually):
    node = await kubo(security=[security])
    ours = await host(security=[security])
    await node.connect(ours.addresses()[0])
    await eventually(ours.connections)  # Kubo may have its connection a moment before we have ours
    (connection,) = ours.connections()
    assert (connection.direction, connection.security) == ("inbound", SECURITY[security])
    assert ours.peers() == [node.peer_id]


async def test_both_learn_who_the_other_is(kubo, host, security, eventually):
    node = await kubo(security=[security])
    ours = await host(security=[security])
    await ours.connect(node.address)
    await eventually(lambda: what_it_knows(node, ours))  # it may still be asking us who we are
    seen = await what_it_knows(node, ours)
    assert seen["AgentVersion"] == "peershelf/interop"
    assert seen["Addresses"] == ours.addresses()
    assert set(ours.protocols()) == set(seen["Protocols"])
    await eventually(lambda: ours.connections()[0].agent)
    assert ours.connections()[0].agent.startswith("kubo/0.43.0")
    assert "/ipfs/bitswap/1.2.0" in ours.connections()[0].protocols


async def test_pings_go_both_ways(kubo, host, security):
    node = await kubo(security=[security])
    ours = await host(security=[security])
    await ours.connect(node.address)
    assert 0 < await ours.ping(node.peer_id) < 5
    assert "Average latency" in await node.cli("ping", "-n", "3", ours.local_peer)


async def test_a_host_without_a_common_secure_channel_is_told_so(kubo, host):
    node = await kubo(security=["tls"])
    ours = await host(security=["noise"])
    with pytest.raises(Exception, match=r"no common security protocol, we offer /noise$"):
        await ours.connect(node.address)


async def test_kubo_notices_that_we_leave_and_we_that_it_does(kubo, host, eventually):
    node = await kubo()
    ours = await host()
    await ours.connect(node.address)
    await ours.disconnect(node.peer_id)
    await eventually(lambda: without_peers(node))
    await node.connect(ours.addresses()[0])
    node.stop()
    await eventually(lambda: not ours.peers())


async def what_it_knows(node, host):
    seen = json.loads(await node.cli("id", host.local_peer))
    return seen if seen["AgentVersion"] else None


async def without_peers(node):
    return not await node.peers()
