"""Nodes exchange blocks: both halves and their drivers together, over the fake network in virtual time."""

from __future__ import annotations

from contextlib import aclosing

import pytest
import trio
from named import A, B, C
from trio.testing import wait_all_tasks_blocked

from peershelf.blockstore.store.memory import MemoryStore
from peershelf.protocols.bitswap import Bitswap
from peershelf.protocols.bitswap.messages import Message, Presence, WantEntry


async def test_a_block_comes_from_a_peer_and_is_stored(world, autojump_clock, make_blocks):
    (block,) = make_blocks(1)
    one, other = await world.node("one", [block]), await world.node("other")
    world.connect(one, other)
    assert await other.bitswap.get_block(block.cid) == block
    assert other.store.get(block.cid) == block.data


async def test_many_blocks_come_each_once(world, autojump_clock, make_blocks, fetch):
    blocks = make_blocks(500, 5_000)
    one, other = await world.node("one", blocks), await world.node("other")
    world.connect(one, other)
    await fetch(other, blocks)
    stat = other.bitswap.stat()
    assert (stat.blocks_received, stat.duplicate_blocks, stat.unrequested_blocks) == (500, 0, 0)
    assert one.bitswap.stat().blocks_sent == 500


async def test_blocks_are_batched(world, autojump_clock, make_blocks, fetch):
    blocks = make_blocks(1_000, 4_096)
    one, other = await world.node("one", blocks), await world.node("other")
    world.connect(one, other)
    await fetch(other, blocks)
    assert other.bitswap.stat().messages_received < 60


async def test_the_largest_blocks_pass(world, autojump_clock, make_blocks, fetch):
    blocks = make_blocks(6, 2 * 1024 * 1024)
    one, other = await world.node("one", blocks), await world.node("other")
    world.connect(one, other)
    await fetch(other, blocks)


async def test_one_block_takes_one_round_trip_once_the_streams_are_open(world, autojump_clock, make_blocks):
    blocks = make_blocks(2)
    one, other = await world.node("one", blocks), await world.node("other")
    world.connect(one, other, latency=0.1)
    await other.bitswap.get_block(blocks[0].cid)
    start = trio.current_time()
    await other.bitswap.get_block(blocks[1].cid)
    assert trio.current_time() - start == pytest.approx(0.2, abs=0.01)


async def test_get_blocks_yields_each_wanted_block(world, autojump_clock, make_blocks):
    blocks = make_blocks(20)
    one, other = await world.node("one", blocks), await world.node("other")
    world.connect(one, other)
    async with aclosing(other.bitswap.get_blocks(block.cid for block in blocks)) as found:
        assert {block.cid async for block in found} == {block.cid for block in blocks}


async def test_a_block_added_later_reaches_a_peer_that_waits(world, autojump_clock, make_blocks):
    (block,) = make_blocks(1)
    one, other = await world.node("one"), await world.node("other")
    world.connect(one, other)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(other.bitswap.get_block, block.cid)
        await wait_all_tasks_blocked()
        await trio.sleep(5)
        one.store.put_many([block])
        one.bitswap.blocks_added([block.cid])
        start = trio.current_time()
    assert trio.current_time() - start < 0.2


async def test_a_block_added_here_ends_our_own_asking(world, autojump_clock, make_blocks):
    (block,) = make_blocks(1)
    node = await world.node("node")
    stranger = world.stranger("stranger", node)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(node.bitswap.get_block, block.cid)
        await stranger.until(lambda: stranger.wants)
        node.store.put_many([block])
        node.bitswap.blocks_added([block.cid])
    await stranger.until(lambda: stranger.wants[-1].cancel)


async def test_a_block_passes_through_a_node_in_the_middle(world, autojump_clock, make_blocks):
    (block,) = make_blocks(1)
    left, middle, right = [await world.node(name) for name in ("left", "middle", "right")]
    world.connect(left, middle)
    world.connect(middle, right)
    left.store.put_many([block])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(right.bitswap.get_block, block.cid)
        await trio.sleep(1)
        nursery.start_soon(middle.bitswap.get_block, block.cid)
    assert right.store.has(block.cid)


async def test_a_damaged_block_is_not_served_and_said_to_be_absent(world, autojump_clock, make_blocks):
    good, bad = make_blocks(2)
    node = await world.node("node", [good, bad])
    node.store._blocks[bad.cid.multihash] = b"\x00" * len(bad.data)
    stranger = world.stranger("stranger", node)
    wants = (WantEntry(bad.cid, send_dont_have=True), WantEntry(good.cid))
    await stranger.say(Message(wants=wants))
    await stranger.until(lambda: stranger.presences and stranger.blocks)
    assert stranger.presences == [Presence(bad.cid, have=False)]
    assert stranger.blocks == [good.data]


async def test_the_statistics_count_what_happened(world, autojump_clock, make_blocks, fetch):
    blocks = make_blocks(10, 2_000)
    one, other = await world.node("one", blocks), await world.node("other")
    world.connect(one, other)
    await fetch(other, blocks)
    sent, received = one.bitswap.stat(), other.bitswap.stat()
    assert (sent.blocks_sent, sent.bytes_sent) == (10, 20_000)
    assert (received.blocks_received, received.bytes_received) == (10, 20_000)
    assert received.peers == (one.peer,)
    assert received.wantlist == ()
    assert sent.messages_sent == received.messages_received > 0


async def test_wantlists_show_what_we_want_and_what_a_peer_wants(world, autojump_clock, make_blocks):
    (block,) = make_blocks(1)
    one, other = await world.node("one"), await world.node("other")
    world.connect(one, other)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(other.bitswap.get_block, block.cid)
        await trio.sleep(1)
        assert other.bitswap.wantlist() == [block.cid]
        assert one.bitswap.wantlist(other.peer) == [block.cid]
        assert other.bitswap.stat().wantlist == (block.cid,)
        nursery.cancel_scope.cancel()
    await trio.sleep(1)
    assert one.bitswap.wantlist(other.peer) == []


async def test_nothing_is_left_when_peers_are_gone(world, autojump_clock, make_blocks, fetch):
    blocks = make_blocks(10)
    one, other = await world.node("one", blocks), await world.node("other")
    for _ in range(3):
        world.connect(one, other)
        await fetch(other, blocks)
        world.disconnect(one, other)
        await wait_all_tasks_blocked()
    assert one.network.open_streams == other.network.open_streams == 0
    assert one.bitswap.stat().peers == other.bitswap.stat().peers == ()


async def test_the_exchange_knows_where_its_peers_are(world):
    at = {A: b"\x04\xc0\0\2\1\6\0\1", B: b"\x04\xc0\0\2\1\6\0\2"}
    bitswap = Bitswap(world.internet.node("node"), MemoryStore(), seen_at=at.get)
    await world.nursery.start(bitswap.run)
    for peer in (A, B, C):
        bitswap.peer_connected(peer)
    place = bitswap._inbound._pacing._crowd._neighbourhood
    assert place(A) == place(B) != A
    assert place(C) == C
    books = bitswap._engine._ledgers
    assert books[A].place == books[B].place == place(A)
    bitswap.peer_disconnected(A)
    assert place(A) == A
