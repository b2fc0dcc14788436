"""Peers that send what was not asked for, or something else in its place."""

from __future__ import annotations

from contextlib import suppress

import pytest
import trio
from attacked import FILE, attacked
from trio.testing import wait_all_tasks_blocked

from peershelf.blockstore import multihash
from peershelf.blockstore.cid import RAW, Cid
from peershelf.protocols.bitswap import BitswapLimits
from peershelf.protocols.bitswap.messages import Message, Payload, Prefix, Presence
from peershelf.protocols.errors import TransportError

MIB = 1024 * 1024


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
