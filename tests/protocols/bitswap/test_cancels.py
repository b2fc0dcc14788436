"""Blocks that a peer withdraws after they were read for it, and before they are sent."""

from __future__ import annotations

import trio

from peershelf.protocols.bitswap.messages import Message, WantEntry


async def test_a_block_cancelled_before_its_message_leaves_is_not_sent(world, autojump_clock, make_blocks):
    first, second, third = make_blocks(3, 1_000_000)
    node = await world.node("node", [first, second, third], upload=1_000_000)
    stranger = world.stranger("stranger", node)
    await stranger.say(Message(wants=(WantEntry(first.cid), WantEntry(second.cid))))
    await trio.sleep(0.5)
    # By now both are read: the first is on the line, the second waits behind it.
    await stranger.say(Message(wants=(WantEntry(second.cid, cancel=True), WantEntry(third.cid))))
    await stranger.until(lambda: len(stranger.blocks) == 2)
    await trio.sleep(5)
    assert stranger.blocks == [first.data, third.data]
    assert node.bitswap.stat().blocks_sent == 2
    assert node.bitswap.wantlist(stranger.peer) == []
    assert node.bitswap._engine._bytes_sending == 0


async def test_a_block_that_is_wanted_again_is_sent_after_all(world, autojump_clock, make_blocks):
    first, second = make_blocks(2, 1_000_000)
    node = await world.node("node", [first, second], upload=1_000_000)
    stranger = world.stranger("stranger", node)
    await stranger.say(Message(wants=(WantEntry(first.cid), WantEntry(second.cid))))
    await trio.sleep(0.5)
    await stranger.say(Message(wants=(WantEntry(second.cid, cancel=True),)))
    await trio.sleep(2)
    await stranger.say(Message(wants=(WantEntry(second.cid),)))
    await stranger.until(lambda: len(stranger.blocks) == 2)
    assert stranger.blocks == [first.data, second.data]
