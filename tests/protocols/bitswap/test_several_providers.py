"""Providers that share the work, leave, come back and stall."""

from __future__ import annotations

import trio


async def two_providers(world, blocks):
    """Connect a node to two that have the blocks; return one of these, and the node."""
    one = await world.node("one", blocks, upload=500_000)
    two = await world.node("two", blocks, upload=500_000)
    other = await world.node("other")
    world.connect(one, other)
    world.connect(two, other)
    return one, other


async def test_a_node_that_leaves_midway_is_replaced(world, autojump_clock, make_blocks, fetch):
    blocks = make_blocks(100, 20_000)
    one, other = await two_providers(world, blocks)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(fetch, other, blocks)
        await trio.sleep(1)
        world.disconnect(one, other)
    assert 0 < one.bitswap.stat().blocks_sent < 100


async def test_a_node_that_comes_back_goes_on(world, autojump_clock, make_blocks, fetch):
    blocks = make_blocks(100, 20_000)
    one = await world.node("one", blocks, upload=500_000)
    other = await world.node("other")
    world.connect(one, other)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(fetch, other, blocks)
        for _ in range(3):
            await trio.sleep(1)
            world.disconnect(one, other)
            await trio.sleep(1)
            world.connect(one, other)


async def test_a_stalled_provider_is_replaced_within_about_a_second(
    world, autojump_clock, make_blocks, fetch
):
    blocks = make_blocks(100, 20_000)
    one, other = await two_providers(world, blocks)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(fetch, other, blocks)
        await trio.sleep(1)
        one.network.link_to(other.peer).cut()
    # The rest alone would take three seconds.
    assert trio.current_time() < 6
    assert other.bitswap.stat().duplicate_blocks == 0


async def test_providers_share_the_work(world, autojump_clock, make_blocks, fetch):
    blocks = make_blocks(400, 20_000)
    providers = [await world.node(f"provider {n}", blocks, upload=1_000_000) for n in range(4)]
    node = await world.node("node")
    for provider in providers:
        world.connect(provider, node)
    await fetch(node, blocks)
    # One alone would take eight seconds.
    assert trio.current_time() < 3.2
    assert all(70 <= provider.bitswap.stat().blocks_sent <= 130 for provider in providers)
    assert node.bitswap.stat().duplicate_blocks <= 8
