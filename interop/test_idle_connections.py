"""Connections that nobody uses stay up."""

from __future__ import annotations

import pytest
import trio

IDLE_SECONDS = 60


@pytest.mark.slow
async def test_connections_to_kubo_and_helia_survive_a_minute_without_use(kubo, helia, host, eventually):
    dialing, dialed = await host(), await host()
    nodes = [await kubo(security=["noise"]), await kubo(security=["tls"]), await helia()]
    for node in nodes:
        await dialing.connect(node.address)
        await node.connect(dialed.addresses()[0])
    # A peer may call the connection made a moment before our side of it has settled.
    await eventually(lambda: len(dialing.connections()) == len(dialed.connections()) == len(nodes))
    before = [opened_at(ours) for ours in (dialing, dialed)]
    await trio.sleep(IDLE_SECONDS)
    assert [opened_at(ours) for ours in (dialing, dialed)] == before
    for node in nodes:
        assert set(await node.peers()) == {dialing.local_peer, dialed.local_peer}
        for ours in (dialing, dialed):
            assert await ours.ping(node.peer_id) < 5


def opened_at(ours):
    return {connection.peer: connection.opened for connection in ours.connections()}
