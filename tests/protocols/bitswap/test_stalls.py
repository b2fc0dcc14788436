"""Providers that stall, leave or are slow: what was asked of them comes from others, in virtual time."""

from __future__ import annotations

import pytest
import trio

from peershelf.protocols.bitswap.messages import Message, Presence

RATE = 1_000_000
COUNT, SIZE = 40, 100_000
WHOLE = COUNT * SIZE / RATE
"""Seconds in which one provider alone sends everything."""
REPLACED = 1.0
"""Seconds after its last byte in which a provider is replaced."""
QUEUE = 0.5
"""Seconds that what was on order at it takes elsewhere."""


@pytest.fixture
def two_providers(world, make_blocks):
    """A node with two full providers of equal speed, and the blocks."""

    async def build(count: int = COUNT, size: int = SIZE):
        blocks = make_blocks(count, size)
        node = await world.node("node")
        providers = [await world.node(name, blocks, upload=RATE) for name in ("steady", "other")]
        for provider in providers:
            world.connect(node, provider)
        return node, providers[1], blocks

    return build


def latest_end(at: float, replaced: float) -> float:
    """When the other provider is done at the latest, if one of two stops after `at` seconds."""
    return at + max(WHOLE - 2 * at + 0.4, replaced + QUEUE)


# Before anything, with streams half open, with wants on their way, between blocks and within one, at the end.
POINTS = [0.0, 0.015, 0.025, 0.045, 0.1, 0.333, 0.5, 0.777, 1.5, 1.9, 1.96]


@pytest.mark.parametrize("at", POINTS)
async def test_a_provider_that_stalls_is_replaced(two_providers, autojump_clock, fetch, at):
    node, other, blocks = await two_providers()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(fetch, node, blocks)
        await trio.sleep(at)
        other.network.link_to(node.peer).cut()
    assert trio.current_time() <= latest_end(at, REPLACED)
    assert node.bitswap.stat().duplicate_blocks == 0


@pytest.mark.parametrize("at", POINTS)
async def test_a_provider_that_leaves_is_replaced_at_once(world, two_providers, autojump_clock, fetch, at):
    node, other, blocks = await two_providers()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(fetch, node, blocks)
        await trio.sleep(at)
        world.disconnect(node, other)
    assert trio.current_time() <= latest_end(at, 0)
    assert node.bitswap.stat().duplicate_blocks == 0


@pytest.mark.parametrize("at", [0.5, 1.3, 4.7])
async def test_a_provider_that_stalls_within_a_large_block_is_replaced(
    two_providers, autojump_clock, fetch, at
):
    node, other, blocks = await two_providers(10, 1_048_576)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(fetch, node, blocks)
        await trio.sleep(at)
        other.network.link_to(node.peer).cut()
    # What was half sent comes once more, and the steady one has no more than a block to end first.
    left = 10 * 1.05 - 2 * at
    assert trio.current_time() <= at + max(left + 1.2, REPLACED + 3 * 1.05)
    assert node.bitswap.stat().duplicate_blocks == 0


async def test_a_want_is_with_another_provider_within_a_second(world, autojump_clock, make_blocks):
    """The one that is asked first says it has the block, begins to send, and goes mute."""
    (block,) = make_blocks(1, 400_000)
    node = await world.node("node")
    mute = await world.node("mute", [block], upload=RATE)
    world.connect(node, mute)
    asked_at = []

    async def note(stranger, message):
        asked_at.extend(trio.current_time() for entry in message.wants if not entry.have_only)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(node.bitswap.get_block, block.cid)
        await trio.sleep(0.2)
        stranger = world.stranger("stranger", node, react=note)
        await stranger.until(lambda: stranger.wants)
        await stranger.say(Message(presences=(Presence(block.cid, have=True),)))
        await trio.sleep(0.05)
        assert asked_at == []
        last_byte = trio.current_time()
        mute.network.link_to(node.peer).cut()
        await stranger.until(lambda: asked_at)
        nursery.cancel_scope.cancel()
    assert asked_at[0] - last_byte <= REPLACED


async def test_nothing_is_lost_when_the_last_provider_stalls_for_a_while(
    world, autojump_clock, make_blocks, fetch
):
    blocks = make_blocks(COUNT, SIZE)
    node, provider = await world.node("node"), await world.node("provider", blocks, upload=RATE)
    world.connect(node, provider)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(fetch, node, blocks)
        await trio.sleep(0.55)
        link = provider.network.link_to(node.peer)
        link.cut()
        await trio.sleep(20)
        link.mend()
    assert trio.current_time() <= 20 + WHOLE + 0.3
    assert node.bitswap.stat().duplicate_blocks == 0


@pytest.mark.parametrize("pause", [0.7, 1.5, 5.0])
async def test_late_blocks_are_few(two_providers, autojump_clock, fetch, pause):
    node, other, blocks = await two_providers(400, 20_000)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(fetch, node, blocks)
        await trio.sleep(0.5)
        link = other.network.link_to(node.peer)
        link.cut()
        await trio.sleep(pause)
        link.mend()
    await trio.sleep(10)
    assert node.bitswap.stat().duplicate_blocks <= 0.02 * len(blocks)


async def test_a_slow_but_steady_peer_is_not_taken_for_silent(world, autojump_clock, make_blocks):
    """Its block takes twenty seconds. A peer of unknown speed is tried meanwhile; nothing is cancelled."""
    (block,) = make_blocks(1, 1_048_576)
    node = await world.node("node")
    slow = await world.node("slow", [block], upload=50_000)
    world.connect(node, slow)
    asked_at = []

    async def boast(stranger, message):
        asked_at.extend(trio.current_time() for entry in message.wants if not entry.have_only)
        if message.wants and message.wants[0].have_only:
            await stranger.say(Message(presences=(Presence(block.cid, have=True),)))

    async with node.bitswap.session() as session:
        session.want([block.cid])
        await trio.sleep(1)
        world.stranger("boaster", node, react=boast)
        assert await session.receive() == block
    assert 20 < trio.current_time() < 22
    assert len(asked_at) == 1
    assert asked_at[0] > 3
    await trio.sleep(30)
    assert slow.bitswap.stat().blocks_sent == 1


@pytest.mark.parametrize("rate", [2_000, 20_000])
async def test_a_peer_that_drips_does_not_keep_a_block_from_others(world, autojump_clock, make_blocks, rate):
    (block,) = make_blocks(1, 1_048_576)
    node = await world.node("node")
    drip = await world.node("drip", [block], upload=rate)
    world.connect(node, drip)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(node.bitswap.get_block, block.cid)
        await trio.sleep(1)
        world.connect(node, await world.node("honest", [block], upload=RATE))
    assert trio.current_time() < 7
