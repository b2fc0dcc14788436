"""Connections between our host and Helia's over each secure channel, on TCP and on WebSocket."""

from __future__ import annotations

import random

import pytest

TCP = "/ip4/127.0.0.1/tcp/0"
WEBSOCKET = f"{TCP}/ws"

pytestmark = [
    pytest.mark.parametrize("security", ["noise", "tls"]),
    pytest.mark.parametrize("websocket", [False, True], ids=["tcp", "websocket"]),
]


def listening(websocket):
    return {"websocket": True, "listen": [WEBSOCKET]} if websocket else {}


async def test_we_dial_helia(helia, host, security, websocket):
    node = await helia(security=[security], websocket=websocket)
    ours = await host(security=[security], **listening(websocket))
    assert ("/ws/p2p/" in node.address) == websocket
    assert await ours.connect(node.address) == node.peer_id
    assert await node.peers() == [ours.local_peer]
    assert 0 < await ours.ping(node.peer_id) < 5


async def test_helia_dials_us(helia, host, eventually, security, websocket):
    node = await helia(security=[security], websocket=websocket)
    ours = await host(security=[security], **listening(websocket))
    await node.connect(ours.addresses()[0])
    await eventually(ours.peers)
    (connection,) = ours.connections()
    assert connection.address.endswith("/ws") == websocket
    assert 0 <= await node.ping(ours.addresses()[0]) < 5


async def test_a_file_comes_from_helia_and_goes_back(helia, tmp_path, security, websocket):
    from peershelf.node import Node

    settings = {
        "Addresses.Swarm": [WEBSOCKET if websocket else TCP],
        "Swarm.Transports.Network.Websocket": websocket,
    }
    giver = await helia(security=[security], websocket=websocket)
    taker = await helia(security=[security], websocket=websocket)
    data = random.Random(7).randbytes(5_000_000)
    (tmp_path / "file").write_bytes(data)
    cid = await giver.add(tmp_path / "file")
    async with Node(tmp_path / "repo", settings=settings) as ours:
        await ours.connect(giver.address)
        assert b"".join([bytes(chunk) async for chunk in ours.cat(cid)]) == data
        giver.stop()
        await taker.connect(ours.addresses()[0])
        await taker.fetch(cid, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == data
