"""Peers that break the protocol or stall in the middle of a message."""

from __future__ import annotations

from contextlib import suppress
from random import Random

import pytest
import trio
from attacked import UNDISTURBED, attacked
from trio.testing import wait_all_tasks_blocked

from peershelf.protocols.bitswap import BitswapLimits
from peershelf.protocols.bitswap.messages import Message, WantEntry
from peershelf.protocols.errors import StreamReset
from peershelf.protocols.wire import encode_frame, frame_header

MIB = 1024 * 1024


async def expect_reset(stream) -> None:
    with pytest.raises(StreamReset), trio.fail_after(120):
        while await stream.receive_some():
            pass


async def test_undisturbed(world, autojump_clock, make_blocks, fetch):
    async with attacked(world, make_blocks, fetch):
        pass
    assert trio.current_time() < UNDISTURBED


async def test_garbage_costs_its_sender_the_stream(world, autojump_clock, make_blocks, fetch):
    random = Random(0)
    async with attacked(world, make_blocks, fetch) as node:
        stranger = world.stranger("stranger", node)
        for _ in range(50):
            stream = await stranger.open_stream()
            with suppress(StreamReset):
                await stream.send_all(b"\x10" + b"\xff" * 3 + random.randbytes(1_000))
            await expect_reset(stream)
    assert node.bitswap.stat().protocol_errors == 50


@pytest.mark.parametrize(
    "start",
    [
        pytest.param(frame_header(4 * MIB + 1), id="4 MiB + 1"),
        pytest.param(frame_header(2**40), id="1 TiB"),
        pytest.param(b"\xff" * 10 + b"\x01", id="an 11-byte length"),
        pytest.param(b"\x81\x00", id="a length not minimal"),
    ],
)
async def test_a_bad_length_is_refused_at_once(world, autojump_clock, make_blocks, fetch, start):
    async with attacked(world, make_blocks, fetch) as node:
        stranger = world.stranger("stranger", node)
        stream = await stranger.open_stream()
        before = trio.current_time()
        await stream.send_all(start)
        await expect_reset(stream)
        assert trio.current_time() - before < 1


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(b"\x0a\x83\x03\x0a\x80\x03\x0a\xfd\x02" + bytes(381), id="a CID of 381 bytes"),
        pytest.param(b"\x1a\x06\x0a\x04\x07\x55\x12\x20", id="a bad prefix"),
    ],
)
async def test_a_malformed_message_is_refused(world, autojump_clock, make_blocks, fetch, message):
    async with attacked(world, make_blocks, fetch) as node:
        stream = await world.stranger("stranger", node).open_stream()
        await stream.send_all(encode_frame(message))
        await expect_reset(stream)
    assert node.bitswap.stat().protocol_errors == 1


async def test_a_message_that_stalls_loses_its_stream_after_a_minute(
    world, autojump_clock, make_blocks, fetch
):
    async with attacked(world, make_blocks, fetch) as node:
        stream = await world.stranger("stranger", node).open_stream()
        await stream.send_all(frame_header(MIB) + bytes(MIB // 2))
    before = trio.current_time()
    await expect_reset(stream)
    assert 50 < trio.current_time() - before < 61


async def test_a_stream_that_is_idle_between_messages_stays(world, autojump_clock, make_blocks):
    (block,) = make_blocks(1)
    node = await world.node("node", [block])
    stranger = world.stranger("stranger", node)
    await stranger.say(Message(full=True))
    await trio.sleep(3_600)
    await stranger.say(Message(wants=(WantEntry(block.cid),)))
    await stranger.until(lambda: stranger.blocks)


async def test_many_stalled_messages_do_not_take_the_memory_of_others(
    world, autojump_clock, make_blocks, fetch
):
    limits = BitswapLimits(buffered_per_peer=8 * MIB, buffered_total=16 * MIB)
    async with attacked(world, make_blocks, fetch, limits=limits) as node:
        streams = []
        for number in range(6):
            stranger = world.stranger(f"stranger {number}", node)
            for _ in range(10):
                stream = await stranger.open_stream()
                await stream.send_all(frame_header(4 * MIB) + bytes(100_000))
                streams.append(stream)
        await wait_all_tasks_blocked()
    assert node.bitswap._inbound.budget.used <= 16 * MIB
    for stream in streams:
        await stream.reset()
    await wait_all_tasks_blocked()
    assert node.bitswap._inbound.budget.used == 0
