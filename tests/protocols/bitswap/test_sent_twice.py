"""Peers that send blocks twice and mean no harm: they stay of as much use as they are."""

from __future__ import annotations

import pytest
import trio

from peershelf.protocols.bitswap.messages import Message, Payload, Prefix, Presence

RATE = 1_000_000


@pytest.fixture
def serve(world):
    """Add a peer that answers each line, with the block where `sends` says so, and so many times."""

    def serve(name, node, blocks, times, sends=lambda entry, block: not entry.have_only):
        by_cid = {block.cid: block for block in blocks}

        async def answer(stranger, message):
            for entry in message.wants:
                block = by_cid.get(entry.cid)
                if entry.cancel or block is None:
                    continue
                if not sends(entry, block):
                    await stranger.say(Message(presences=(Presence(entry.cid, have=True),)))
                    continue
                for _ in range(times):
                    await trio.sleep(len(block.data) / RATE)
                    await stranger.say(Message(payloads=(Payload(Prefix.of(block.cid), block.data),)))

        return world.stranger(name, node, react=answer)

    return serve


@pytest.mark.parametrize("size", [900, 20_000, 1_000_000])
async def test_one_that_sends_each_block_twice_takes_twice_as_long(
    world, autojump_clock, make_blocks, fetch, serve, size
):
    blocks = make_blocks(4_000_000 // size if size > 10_000 else 400, size)
    node = await world.node("node")
    serve("stammerer", node, blocks, 2)
    start = trio.current_time()
    await fetch(node, blocks)
    alone = 2 * len(blocks) * size / RATE
    assert trio.current_time() - start < 1.3 * alone + 0.5
    assert node.bitswap.stat().duplicate_blocks >= len(blocks) - 3


async def test_two_of_them_share_the_work(world, autojump_clock, make_blocks, fetch, serve):
    blocks = make_blocks(300, 20_000)
    node = await world.node("node")
    peers = [serve(f"stammerer {number}", node, blocks, 2) for number in range(2)]
    start = trio.current_time()
    await fetch(node, blocks)
    assert trio.current_time() - start < 1.3 * 300 * 20_000 / RATE
    assert all(sum(not entry.have_only for entry in peer.wants) > 100 for peer in peers)


async def test_small_blocks_that_answer_the_question_and_the_order_as_well(
    world, autojump_clock, make_blocks, fetch, serve
):
    """Kubo answers a want-have with a small block itself, and with it again where it is ordered meanwhile."""
    blocks = make_blocks(500, 1_000)
    node = await world.node("node")
    for number in range(2):
        serve(f"peer {number}", node, blocks, 1, sends=lambda entry, block: True)
    start = trio.current_time()
    await fetch(node, blocks)
    assert trio.current_time() - start < 500 * 1_000 / RATE + 1
