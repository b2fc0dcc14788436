"""Peers that send what is right, and send it again and again: copies cost their sender what they cost us."""

from __future__ import annotations

import pytest
import trio
from paying import Thread, all_taken

from peershelf.protocols.bitswap import BitswapLimits, intake
from peershelf.protocols.bitswap.messages import Message

HASHING = 0.01
"""Seconds that a block takes."""
TIMES = 100
SIZE, READING = 1_000_000, 0.1
SHARE, AHEAD = 0.2, 0.1


@pytest.fixture
async def node(world, monkeypatch):
    thread = Thread()

    def check(parcels, expected):
        thread.used += HASHING * len(parcels)
        return inner(parcels, expected)

    inner = intake.check
    monkeypatch.setattr(intake, "check", check)
    return await world.node("node", cpu=thread)


async def test_copies_are_paid_with_rest(world, node, autojump_clock, make_blocks, payload, fetch):
    (block,) = make_blocks(1)

    async def insist(stranger, message) -> None:
        if not stranger.sent:
            stranger.sent = True
            for _ in range(1 + TIMES):
                await stranger.say(Message(payloads=(payload(block),)))

    stranger = world.stranger("insistent", node, react=insist)
    stranger.sent = False
    start = trio.current_time()
    await fetch(node, [block])
    assert trio.current_time() - start < 0.1
    await all_taken(stranger)
    # A fifth of the time, and a tenth of a second of work ahead; what was hashed last may not be charged yet.
    assert 1 < trio.current_time() - start < (TIMES * HASHING - 0.1) / 0.2 + 0.5
    assert node.bitswap.stat().duplicate_blocks == TIMES


async def test_a_block_is_stored_once_however_often_a_message_has_it(
    world, node, autojump_clock, make_blocks, payload, fetch
):
    (block,) = make_blocks(1)

    async def insist(stranger, message) -> None:
        if not stranger.sent:
            stranger.sent = True
            await stranger.say(Message(payloads=(payload(block),) * TIMES))

    stored: list[int] = []
    put = node.store.put_many
    node.store.put_many = lambda blocks, **options: (stored.append(len(blocks)), put(blocks, **options))
    stranger = world.stranger("insistent", node, react=insist)
    stranger.sent = False
    await fetch(node, [block])
    await all_taken(stranger)
    assert stored == [1]
    assert node.bitswap.stat().duplicate_blocks == TIMES - 1


async def test_what_was_asked_for_is_free(world, node, autojump_clock, make_blocks, payload, fetch):
    blocks = {block.cid: block for block in make_blocks(TIMES)}

    async def answer(stranger, message) -> None:
        for entry in message.wants:
            if not entry.cancel:
                await stranger.say(Message(payloads=(payload(blocks[entry.cid]),)))

    world.stranger("honest", node, react=answer)
    start = trio.current_time()
    await fetch(node, list(blocks.values()))
    assert trio.current_time() - start < 1


@pytest.fixture
async def slow_reader(world):
    """A node at which nothing takes time but what has to be read."""
    return await world.node("slow reader", limits=BitswapLimits(reading=READING / SIZE))


async def test_reading_what_nobody_asked_for_is_paid_with_rest(
    world, slow_reader, autojump_clock, make_blocks, payload
):
    (block,) = make_blocks(1, SIZE)
    stranger = world.stranger("generous", slow_reader)
    start = trio.current_time()
    for _ in range(TIMES):
        await stranger.say(Message(payloads=(payload(block),)))
    await all_taken(stranger)
    assert trio.current_time() - start > (TIMES * READING - AHEAD) / SHARE - 1
    assert slow_reader.bitswap.stat().unrequested_blocks == TIMES


async def test_so_is_reading_copies(world, slow_reader, autojump_clock, make_blocks, payload, fetch):
    (block,) = make_blocks(1, SIZE)

    async def answer(stranger, message) -> None:
        stranger.react = None
        await stranger.say(Message(payloads=(payload(block),)))

    stranger = world.stranger("insistent", slow_reader, react=answer)
    await fetch(slow_reader, [block])
    start = trio.current_time()
    for _ in range(TIMES):
        await stranger.say(Message(payloads=(payload(block),)))
    await all_taken(stranger)
    assert trio.current_time() - start > (TIMES * READING - AHEAD) / SHARE - 1
    assert slow_reader.bitswap.stat().duplicate_blocks == TIMES


async def test_reading_what_was_asked_for_is_free(
    world, slow_reader, autojump_clock, make_blocks, payload, fetch
):
    blocks = {block.cid: block for block in make_blocks(TIMES, SIZE // 2)}

    async def answer(stranger, message) -> None:
        for entry in message.wants:
            if not entry.cancel:
                await stranger.say(Message(payloads=(payload(blocks[entry.cid]),)))

    world.stranger("honest", slow_reader, react=answer)
    start = trio.current_time()
    await fetch(slow_reader, list(blocks.values()))
    assert trio.current_time() - start < 3
