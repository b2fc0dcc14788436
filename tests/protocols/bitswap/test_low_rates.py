"""Big blocks over slow lines, in virtual time: who is slow is not silent, and not stalled."""

from __future__ import annotations

from contextlib import suppress

import pytest
import trio

from peershelf.protocols.bitswap.messages import Message, Presence
from peershelf.protocols.errors import StreamReset
from peershelf.protocols.wire import frame_header

MIB = 1024 * 1024
RATE = 20_000
"""Bytes per second: a block takes most of a minute."""
USE = 0.99
"""Share of the line that has to go into blocks."""


@pytest.mark.parametrize("seeds", [1, 2, 4])
async def test_slow_seeds_share_the_work(world, autojump_clock, make_blocks, fetch, seeds):
    blocks = make_blocks(16, MIB)
    providers = [await world.node(f"seed {number}", blocks, upload=RATE) for number in range(seeds)]
    node = await world.node("node")
    for provider in providers:
        world.connect(provider, node)
    await fetch(node, blocks)
    assert trio.current_time() * USE < 16 * MIB / (seeds * RATE)
    assert node.bitswap.stat().duplicate_blocks == 0
    assert [one.bitswap.stat().blocks_sent for one in providers] == [16 / seeds] * seeds


async def test_takers_that_get_a_tenth_of_a_slow_line_are_not_taken_for_stalled(
    world, autojump_clock, make_blocks, fetch
):
    blocks = make_blocks(2, MIB)
    seed = await world.node("seed", blocks, upload=RATE)
    takers = [await world.node(f"taker {number}") for number in range(10)]
    async with trio.open_nursery() as nursery:
        for taker in takers:
            world.connect(seed, taker)
            nursery.start_soon(fetch, taker, blocks)
    assert seed.bitswap.stat().blocks_sent == 20
    assert trio.current_time() * USE < 20 * MIB / RATE


async def test_a_slow_line_of_ours_wastes_nothing(world, autojump_clock, make_blocks, fetch):
    blocks = make_blocks(8, MIB)
    node = await world.node("node", download=RATE)
    for number in range(4):
        world.connect(await world.node(f"seed {number}", blocks), node)
    await fetch(node, blocks)
    assert trio.current_time() * USE < 8 * MIB / RATE
    assert node.bitswap.stat().duplicate_blocks == 0


async def test_a_quick_peer_is_asked_for_what_slow_ones_are_at(world, autojump_clock, make_blocks, fetch):
    blocks = make_blocks(8, MIB)
    node = await world.node("node")
    world.connect(await world.node("quick", blocks, upload=1_000_000), node)
    for number in range(3):
        world.connect(await world.node(f"slow {number}", blocks, upload=RATE), node)
    await fetch(node, blocks)
    assert trio.current_time() < 10


async def test_a_peer_that_trickles_on_purpose_does_not_keep_a_block_from_us(
    world, autojump_clock, make_blocks, fetch
):
    (block,) = make_blocks(1, MIB)
    node = await world.node("node")
    tricklers = world.nursery

    async def trickle() -> None:
        with suppress(StreamReset):
            await stranger.write(frame_header(MIB))
            while True:
                await stranger.write(b"\0")
                await trio.sleep(0.1)

    async def react(stranger, message) -> None:
        for want in message.wants:
            if want.have_only:
                await stranger.say(Message(presences=(Presence(want.cid, True),)))
            elif not want.cancel:
                tricklers.start_soon(trickle)

    stranger = world.stranger("trickler", node, react=react)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(fetch, node, [block])
        await trio.sleep(2)
        world.connect(await world.node("honest", [block]), node)
    assert trio.current_time() < 8
