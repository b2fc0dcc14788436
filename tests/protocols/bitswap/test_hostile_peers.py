"""Peers that break the protocol, stall, lie or ask for too much, each while an honest transfer goes on.

The node under attack fetches a file from an honest peer and serves one to another. Both links carry 1 MB/s,
so that undisturbed each transfer takes about two seconds of virtual time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from peershelf.blockstore import multihash
from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import RAW, Cid
from peershelf.protocols.bitswap import BitswapLimits
from peershelf.protocols.bitswap.messages import Message, Payload, Prefix, Presence, WantEntry, encode
from peershelf.protocols.errors import StreamReset, TransportError
from peershelf.protocols.wire import encode_frame, frame_header

MIB = 1024 * 1024
RATE = 1_000_000
FILE = 100
UNDISTURBED = 2.3
TOLERANCE = 1.25


@asynccontextmanager
async def attacked(world, make_blocks, fetch, **options) -> AsyncIterator:
    """Give the node that is to be attacked; fail unless its honest transfers are done in good time."""
    download, upload = make_blocks(FILE, 20_000, seed=1), make_blocks(FILE, 20_000, seed=2)
    node = await world.node("node", upload, **options)
    provider = await world.node("provider", download, upload=RATE)
    consumer = await world.node("consumer", download=RATE)
    world.connect(node, provider)
    world.connect(node, consumer)
    finished: dict[str, float] = {}

    async def transfer(name, to, blocks):
        await fetch(to, blocks)
        finished[name] = trio.current_time() - start

    async with trio.open_nursery() as nursery:
        start = trio.current_time()
        nursery.start_soon(transfer, "download", node, download)
        nursery.start_soon(transfer, "upload", consumer, upload)
        yield node
    assert finished["download"] < UNDISTURBED * TOLERANCE
    assert finished["upload"] < UNDISTURBED * TOLERANCE


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


async def test_wrong_bytes_are_not_stored_and_their_sender_is_given_up(
    world, autojump_clock, make_blocks, fetch
):
    async def lie(stranger, message):
        """Claim everything, and send rubbish for it."""
        wanted = [entry for entry in message.wants if not entry.cancel]
        claims = tuple(Presence(entry.cid, have=True) for entry in wanted if entry.have_only)
        rubbish = tuple(
            Payload(
                Prefix.of(entry.cid),
                b"rubbish %d" % stranger.asked.setdefault(entry.cid, len(stranger.asked)),
            )
            for entry in wanted
            if not entry.have_only
        )
        if claims or rubbish:
            await stranger.say(Message(presences=claims, payloads=rubbish))

    async with attacked(world, make_blocks, fetch) as node:
        stranger = world.stranger("liar", node, react=lie)
        stranger.asked = {}
    stat = node.bitswap.stat()
    assert 1 <= stat.unrequested_blocks <= BitswapLimits().bad_blocks
    for cid in stranger.asked:
        times = sum(entry.cid == cid and not entry.have_only and not entry.cancel for entry in stranger.wants)
        assert times <= 2
    assert node.store.stats().blocks == 2 * FILE


async def test_a_peer_that_always_sends_wrong_bytes_is_asked_no_more(world, autojump_clock, make_blocks):
    blocks = make_blocks(30)
    node = await world.node("node")

    async def lie(stranger, message):
        for entry in message.wants:
            if not entry.cancel:
                await stranger.say(Message(payloads=(Payload(Prefix.of(entry.cid), b"rubbish"),)))

    stranger = world.stranger("liar", node, react=lie)
    with trio.move_on_after(3_600):
        async for _ in node.bitswap.get_blocks(block.cid for block in blocks):
            pytest.fail("something came")
    assert node.bitswap.stat().unrequested_blocks == BitswapLimits().bad_blocks
    assert len([entry for entry in stranger.wants if not entry.cancel]) <= BitswapLimits().bad_blocks + 2


async def test_blocks_from_a_peer_that_was_asked_nothing_are_not_even_hashed(
    world, autojump_clock, make_blocks, payload, monkeypatch
):
    monkeypatch.setattr(
        "peershelf.protocols.bitswap.intake.check", lambda *_: pytest.fail("they were hashed")
    )
    node = await world.node("node")
    stranger = world.stranger("generous", node)
    gifts = make_blocks(100)
    for gift in gifts:
        await stranger.say(Message(payloads=(payload(gift),)))
    await trio.sleep(1)
    stat = node.bitswap.stat()
    assert (stat.unrequested_blocks, stat.unrequested_bytes) == (100, 100_000)


async def test_unrequested_blocks_are_not_stored(world, autojump_clock, make_blocks, fetch, payload):
    gifts = make_blocks(300, 10_000, seed=9)
    async with attacked(world, make_blocks, fetch) as node:
        stranger = world.stranger("generous", node)
        for gift in gifts:
            with suppress(TransportError):
                await stranger.say(Message(payloads=(payload(gift),)))
    await wait_all_tasks_blocked()
    stat = node.bitswap.stat()
    assert stat.unrequested_blocks == len(gifts)
    assert not any(node.store.has(gift.cid) for gift in gifts)


async def test_a_repeated_want_is_served_once(world, autojump_clock, make_blocks, fetch):
    (block,) = make_blocks(1, 100_000, seed=2_000)
    async with attacked(world, make_blocks, fetch) as node:
        node.store.put_many([block])
        stranger = world.stranger("insistent", node, reads=False)
        stranger.reads = True
        await stranger.say(Message(wants=(WantEntry(block.cid),) * 6_000))
        await stranger.until(lambda: stranger.blocks)
    assert stranger.blocks == [block.data]


async def test_a_want_repeated_in_messages_of_its_own_takes_bounded_memory(
    world, autojump_clock, make_blocks, fetch
):
    (block,) = make_blocks(1, 100_000, seed=2_000)
    async with attacked(world, make_blocks, fetch) as node:
        node.store.put_many([block])
        stranger = world.stranger("insistent", node, reads=False)
        frame = encode_frame(b"".join(encode(Message(wants=(WantEntry(block.cid),)), stranger.protocol)))
        for _ in range(60):
            await stranger.write(frame * 100)
        await wait_all_tasks_blocked()
        assert len(node.bitswap.wantlist(stranger.peer)) <= 1
        assert node.bitswap._engine._bytes_sending <= 3 * len(block.data) + 2 * MIB


async def test_of_too_many_wants_some_are_kept(world, autojump_clock, make_blocks, fetch):
    absent = [block.cid for block in make_blocks(5_000, 8, seed=3_000)]
    async with attacked(world, make_blocks, fetch) as node:
        stranger = world.stranger("greedy", node)
        await stranger.say(Message(wants=tuple(WantEntry(cid, send_dont_have=True) for cid in absent)))
        await stranger.until(lambda: stranger.presences)
        assert len(node.bitswap.wantlist(stranger.peer)) == 1_024
    world.disconnect(stranger, node)
    assert node.bitswap.wantlist(stranger.peer) == []


async def test_alternating_full_wantlists_keep_one_of_them(world, autojump_clock, make_blocks, fetch):
    lists = [[block.cid for block in make_blocks(500, 8, seed=seed)] for seed in (4_000, 5_000)]
    async with attacked(world, make_blocks, fetch) as node:
        stranger = world.stranger("undecided", node)
        for turn in range(40):
            wants = tuple(WantEntry(cid) for cid in lists[turn % 2])
            await stranger.say(Message(wants=wants, full=True))
        await wait_all_tasks_blocked()
        assert set(node.bitswap.wantlist(stranger.peer)) <= set(lists[0]) | set(lists[1])
        assert len(node.bitswap.wantlist(stranger.peer)) == 500


async def test_a_peer_that_takes_blocks_and_does_not_read_loses_its_wants(
    world, autojump_clock, make_blocks, fetch
):
    blocks = make_blocks(20, MIB, seed=6_000)
    async with attacked(world, make_blocks, fetch) as node:
        node.store.put_many(blocks)
        strangers = [world.stranger(f"deaf {number}", node, reads=False) for number in range(8)]
        for stranger in strangers:
            await stranger.say(Message(wants=tuple(WantEntry(block.cid) for block in blocks)))
    assert node.bitswap.wantlist(strangers[0].peer)
    await trio.sleep(70)
    assert not any(node.bitswap.wantlist(stranger.peer) for stranger in strangers)
    assert node.bitswap._engine._bytes_sending == 0


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


async def test_a_block_under_another_hash_is_not_taken_for_the_one_wanted(world, autojump_clock, make_blocks):
    (block,) = make_blocks(1)
    node = await world.node("node")

    async def answer(stranger, message):
        weak = Prefix(1, 0x55, 0x11, 20)
        unknown = Prefix(1, 0x55, 0x7FFF, 32)
        long = Prefix(1, 0x55, 0x12, 64)
        if not any(entry.cancel for entry in message.wants):
            await stranger.say(
                Message(payloads=tuple(Payload(prefix, block.data) for prefix in (weak, unknown, long)))
            )

    stranger = world.stranger("stranger", node, react=answer)
    with trio.move_on_after(5):
        await node.bitswap.get_block(block.cid)
        pytest.fail("it was taken")
    assert stranger.wants
    assert not node.store.has(block.cid)
    assert node.bitswap.stat().unrequested_blocks == 3


async def test_an_oversized_block_is_refused_even_if_it_hashes_right(world, autojump_clock, payload):
    data = bytes(2 * MIB + 1)
    cid = Cid.v1(RAW, multihash.multihash(multihash.SHA2_256, data))
    node = await world.node("node")

    async def answer(stranger, message):
        await stranger.say(Message(payloads=(Payload(Prefix.of(cid), data),)))

    world.stranger("stranger", node, react=answer)
    with trio.move_on_after(30):
        await node.bitswap.get_block(cid)
        pytest.fail("it was taken")
    assert not node.store.has(cid)
