"""Peers that do it otherwise: earlier versions of bitswap, a stream for each answer, no bitswap at all."""

from __future__ import annotations

import pytest
import trio

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import DAG_PB
from peershelf.protocols.bitswap.messages import BITSWAP_1_0_0, BITSWAP_1_1_0, Message, WantEntry


async def test_nodes_of_earlier_protocol_versions_are_served(world, autojump_clock, make_blocks):
    data = make_blocks(1)[0].data
    block = Block.create(data, codec=DAG_PB, version=0)
    node = await world.node("node", [block])
    for version in (BITSWAP_1_1_0, BITSWAP_1_0_0):
        stranger = world.stranger(version, node, protocol=version)
        await stranger.say(Message(wants=(WantEntry(block.cid),)))
        await stranger.until(lambda stranger=stranger: stranger.blocks)
        assert stranger.blocks == [data]


@pytest.mark.parametrize("version", [BITSWAP_1_1_0, BITSWAP_1_0_0])
async def test_blocks_come_from_peers_of_earlier_versions(
    world, autojump_clock, make_blocks, payload, version
):
    data = make_blocks(1)[0].data
    block = Block.create(data, codec=DAG_PB, version=0)
    node, bystander = await world.node("node"), await world.node("bystander")
    world.connect(node, bystander)

    async def react(stranger, message):
        assert not any(entry.have_only for entry in message.wants)
        if any(not entry.cancel for entry in message.wants):
            await stranger.say(Message(payloads=(payload(block),)))

    world.stranger("old", node, protocol=version, react=react)
    assert await node.bitswap.get_block(block.cid) == block


async def test_a_peer_that_answers_each_time_on_a_new_stream_is_understood(
    world, autojump_clock, make_blocks, payload
):
    blocks = make_blocks(10)
    node = await world.node("node")
    by_cid = {block.cid: block for block in blocks}
    streams = []

    async def react(stranger, message):
        for entry in message.wants:
            if not entry.cancel:
                stranger.reply = None
                await stranger.say(Message(payloads=(payload(by_cid[entry.cid]),)))
                streams.append(stranger.reply)

    world.stranger("kubo", node, react=react)
    async for _ in node.bitswap.get_blocks(by_cid):
        pass
    assert len(streams) == 10
    # They stay open until their opener ends them.
    await streams[0].aclose()
    assert await streams[0].receive_some() == b""


async def test_answers_come_on_our_own_streams_which_are_kept(world, autojump_clock, make_blocks):
    blocks = make_blocks(5)
    node = await world.node("node", blocks)
    stranger = world.stranger("stranger", node)
    inbound = []
    handler = stranger.handle

    async def count(stream):
        inbound.append(stream)
        await handler(stream)

    stranger.network.handle([stranger.protocol], count)
    for block in blocks:
        await stranger.say(Message(wants=(WantEntry(block.cid), WantEntry(block.cid, have_only=True))))
        await stranger.until(lambda block=block: block.data in stranger.blocks)
    assert len(inbound) <= 2
    with trio.move_on_after(1):
        await stranger.reply.receive_some()
        pytest.fail("the node wrote to the stream that the request came in on")


async def test_a_peer_without_bitswap_does_not_matter(world, autojump_clock, make_blocks):
    (block,) = make_blocks(1)
    one, other = await world.node("one", [block]), await world.node("other")
    deaf = world.stranger("deaf", other)
    deaf.network._handlers.clear()
    world.connect(one, other)
    assert await other.bitswap.get_block(block.cid) == block
