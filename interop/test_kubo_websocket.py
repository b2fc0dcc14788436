"""WebSocket between our host and Kubo's, both directions."""

from __future__ import annotations

import random

import pytest

WEBSOCKET = "/ip4/127.0.0.1/tcp/0/ws"


def listens_on_websocket(config):
    config["Addresses"]["Swarm"] = [WEBSOCKET]


@pytest.mark.parametrize("security", ["noise", "tls"])
async def test_we_dial_kubo(kubo, host, security):
    node = await kubo(security=[security], configure=listens_on_websocket)
    ours = await host(security=[security], websocket=True)
    assert "/ws/p2p/" in node.address
    assert await ours.connect(node.address) == node.peer_id
    assert ours.connections()[0].address == node.address.partition("/p2p/")[0]
    assert 0 < await ours.ping(node.peer_id) < 5
    assert await node.peers() == [ours.local_peer]


@pytest.mark.parametrize("security", ["noise", "tls"])
async def test_kubo_dials_us(kubo, host, security):
    node = await kubo(security=[security])
    ours = await host(security=[security], websocket=True, listen=[WEBSOCKET])
    await node.connect(ours.addresses()[0])
    assert ours.peers() == [node.peer_id]
    (connection,) = ours.connections()
    assert connection.direction == "inbound"
    assert connection.address.endswith("/ws")
    assert "Average latency" in await node.cli("ping", "-n", "3", ours.local_peer)


async def test_a_file_comes_from_kubo_and_goes_back(kubo, tmp_path):
    from peershelf.node import Node

    settings = {
        "Addresses.Swarm": [WEBSOCKET],
        "Swarm.Transports.Network.Websocket": True,
    }
    giver = await kubo(configure=listens_on_websocket)
    taker = await kubo()
    data = random.Random(6).randbytes(20_000_000)
    (tmp_path / "file").write_bytes(data)
    cid = await giver.add(tmp_path / "file")
    async with Node(tmp_path / "repo", settings=settings) as ours:
        await ours.connect(giver.address)
        assert b"".join([bytes(chunk) async for chunk in ours.cat(cid)]) == data
        giver.stop()
        await taker.connect(ours.addresses()[0])
        assert await taker.cat(cid) == data
