"""Peers that could deliver and do not: they are silent, leave, or reset what is opened."""

from __future__ import annotations

import pytest
import trio
from attacked import FILE, RATE, attacked

from peershelf.blockstore.block import Block
from peershelf.protocols.bitswap import BitswapLimits
from peershelf.protocols.bitswap.messages import Message, Presence, WantEntry


async def test_a_peer_that_takes_wants_and_answers_nothing_is_done_without(
    world, autojump_clock, make_blocks, fetch
):
    async with attacked(world, make_blocks, fetch) as node:
        world.stranger("mute", node)


async def claim(stranger, message):
    """Say that everything is here, and send nothing."""
    claims = tuple(Presence(entry.cid, have=True) for entry in message.wants if entry.have_only)
    if claims:
        await stranger.say(Message(presences=claims))


async def test_a_peer_that_claims_to_have_all_and_sends_nothing_is_done_without(
    world, autojump_clock, make_blocks, fetch
):
    async with attacked(world, make_blocks, fetch) as node:
        world.stranger("boaster", node, react=claim)


BOASTERS = 4
LOOK_AGAIN = BitswapLimits().look_again


async def test_peers_that_claim_to_have_all_are_asked_for_a_root_for_a_moment_each(
    world, autojump_clock, make_blocks, fetch
):
    """They are quicker to claim than the one that has the root, and nothing is known of anybody."""
    root = make_blocks(1, 10_000)
    node = await world.node("node")
    world.connect(node, await world.node("provider", root), latency=0.1)
    for number in range(BOASTERS):
        world.stranger(f"boaster {number}", node, react=claim)
    await fetch(node, root)
    assert trio.current_time() < BOASTERS * LOOK_AGAIN + 0.8


async def test_what_peers_that_claim_to_have_all_were_asked_for_comes_from_one_that_sends(
    world, autojump_clock, make_blocks, fetch
):
    (root,), leaves = make_blocks(1, 10_000), make_blocks(20, 20_000, seed=1)
    node = await world.node("node")
    boasters = [world.stranger(f"boaster {number}", node, react=claim) for number in range(BOASTERS)]
    world.connect(node, await world.node("provider", [root, *leaves], upload=RATE))
    async with node.bitswap.session() as session:
        session.want([root.cid])
        await session.receive()
        start = trio.current_time()
        session.want([leaf.cid for leaf in leaves])
        for _ in leaves:
            await session.receive()
    assert any(not entry.have_only for boaster in boasters for entry in boaster.wants)
    assert trio.current_time() - start < 20 * 20_000 / RATE + 2 * LOOK_AGAIN
    assert node.bitswap.stat().duplicate_blocks == 0


async def test_peers_that_claim_to_have_all_do_not_hold_up_every_part_of_a_file(
    world, autojump_clock, make_blocks
):
    """Somebody reads it in order, and wants a little at a time."""
    parts = [make_blocks(8, 20_000, seed=seed) for seed in range(20)]
    node = await world.node("node")
    for number in range(BOASTERS):
        world.stranger(f"boaster {number}", node, react=claim)
    blocks = [block for part in parts for block in part]
    world.connect(node, await world.node("provider", blocks, upload=RATE))
    async with node.bitswap.session() as session:
        for part in parts:
            session.want([block.cid for block in part])
            for _ in part:
                await session.receive()
    assert trio.current_time() < len(blocks) * 20_000 / RATE + 1.5


async def test_what_the_one_that_delivers_has_not_comes_from_another_of_whom_nothing_is_known(
    world, autojump_clock, make_blocks
):
    (root,), rare = make_blocks(1, 10_000), make_blocks(3, 20_000, seed=1)
    node = await world.node("node")
    world.connect(node, await world.node("deliverer", [root]))
    async with node.bitswap.session() as session:
        session.want([root.cid])
        await session.receive()
        for number in range(BOASTERS):
            world.stranger(f"boaster {number}", node, react=claim)
        world.connect(node, await world.node("newcomer", rare), latency=0.02)
        start = trio.current_time()
        session.want([block.cid for block in rare])
        for _ in rare:
            await session.receive()
    assert trio.current_time() - start < BOASTERS * LOOK_AGAIN + 0.8


@pytest.mark.parametrize("latency", [0.05, 0.1, 0.15])
async def test_far_peers_are_not_taken_for_such(world, autojump_clock, make_blocks, fetch, latency):
    """Their first blocks take as long as their word that they have them, or longer."""
    (root,), leaves = make_blocks(1, 10_000), make_blocks(FILE, 20_000, seed=1)
    node = await world.node("node")
    providers = [await world.node(f"provider {number}", [root, *leaves], upload=RATE) for number in range(3)]
    for provider in providers:
        world.connect(node, provider, latency=latency)
    await fetch(node, [root])
    await trio.sleep(2)
    assert sum(provider.bitswap.stat().blocks_sent for provider in providers) == 1
    await fetch(node, leaves)
    assert node.bitswap.stat().duplicate_blocks <= 1  # of the last ones, which the quickest peer takes over


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
