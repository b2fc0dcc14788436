"""Blocks that are added to the store itself while sessions want them, or just before that."""

from __future__ import annotations

import trio

from peershelf.protocols.bitswap.limits import BitswapLimits


async def test_a_block_that_was_added_just_before_it_is_wanted_is_delivered(
    world, autojump_clock, make_blocks
):
    """Who looked for it in the store before that did not find it, and no peer may have it."""
    (block,) = make_blocks(1)
    node = await world.node("node", [block])
    node.bitswap.blocks_added([block.cid])
    async with node.bitswap.session() as session:
        session.want([block.cid])
        with trio.fail_after(5):
            assert await session.receive() == block


async def test_wants_that_peers_do_not_know_of_yet_are_answered_by_what_is_added(
    world, autojump_clock, make_blocks
):
    blocks = {block.cid: block for block in make_blocks(BitswapLimits().session_wants * 2 + 10)}
    node = await world.node("node")
    async with node.bitswap.session() as session:
        session.want(blocks)
        node.store.put_many(blocks.values())
        node.bitswap.blocks_added(blocks)
        with trio.fail_after(5):
            async for block in session:
                assert blocks.pop(block.cid) == block
    assert not blocks


async def test_a_block_that_is_gone_again_is_asked_of_peers(world, autojump_clock, make_blocks):
    (block,) = make_blocks(1)
    giver, taker = await world.node("giver", [block]), await world.node("taker")
    world.connect(giver, taker)
    taker.bitswap.blocks_added([block.cid])
    async with taker.bitswap.session() as session:
        session.want([block.cid])
        with trio.fail_after(5):
            assert await session.receive() == block
