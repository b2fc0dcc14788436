"""Peers that could deliver and do not: they are silent, leave, or reset what is opened."""

from __future__ import annotations

import trio
from attacked import FILE, RATE, attacked

from peershelf.blockstore.block import Block
from peershelf.protocols.bitswap.messages import Message, Presence, WantEntry


async def test_a_peer_that_takes_wants_and_answers_nothing_is_done_without(
    world, autojump_clock, make_blocks, fetch
):
    async with attacked(world, make_blocks, fetch) as node:
        world.stranger("mute", node)


async def test_a_peer_that_claims_to_have_all_and_sends_nothing_is_done_without(
    world, autojump_clock, make_blocks, fetch
):
    async def claim(stranger, message):
        claims = tuple(Presence(entry.cid, have=True) for entry in message.wants if entry.have_only)
        if claims:
            await stranger.say(Message(presences=claims))

    async with attacked(world, make_blocks, fetch) as node:
        world.stranger("boaster", node, react=claim)


async def test_a_peer_that_leaves_midway_is_done_without(world, autojump_clock, make_blocks, fetch):
    async with attacked(world, make_blocks, fetch) as node:
        other = await world.node("fickle", make_blocks(FILE, 20_000, seed=1), upload=RATE)
        world.connect(node, other)
        await trio.sleep(0.5)
        world.disconnect(node, other)
    assert node.bitswap.stat().duplicate_blocks <= 2


async def test_a_peer_that_resets_every_stream_is_done_without(world, autojump_clock, make_blocks, fetch):
    async with attacked(world, make_blocks, fetch) as node:
        stranger = world.stranger("prickly", node)

        async def reset(stream):
            await stream.reset()

        stranger.network.handle([stranger.protocol], reset)
        await stranger.say(Message(wants=(WantEntry(Block.create(b"x").cid, send_dont_have=True),)))
