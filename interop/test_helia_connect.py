"""Connections between our host and Helia's, in both directions."""

from __future__ import annotations


async def test_we_dial_helia(helia, host):
    node = await helia()
    ours = await host()
    assert await ours.connect(node.address) == node.peer_id
    assert await node.peers() == [ours.local_peer]
    assert 0 < await ours.ping(node.peer_id) < 5


async def test_helia_dials_us(helia, host, eventually):
    node = await helia()
    ours = await host()
    await node.connect(ours.addresses()[0])
    await eventually(ours.peers)  # Helia has its connection a moment before we have ours
    assert ours.peers() == [node.peer_id]
    assert 0 <= await node.ping(ours.addresses()[0]) < 5


async def test_both_learn_who_the_other_is(helia, host, eventually):
    node = await helia()
    ours = await host()
    await ours.connect(node.address)
    await eventually(lambda: ours.connections()[0].agent)
    await eventually(lambda: node.agent(ours.local_peer))
    assert await node.agent(ours.local_peer) == "peershelf/interop"
    assert "helia" in ours.connections()[0].agent
