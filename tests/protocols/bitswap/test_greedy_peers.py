"""Peers that want too much, or the same again and again, or do not read what they get."""

from __future__ import annotations

import trio
from attacked import attacked
from trio.testing import wait_all_tasks_blocked

from peershelf.protocols.bitswap.messages import Message, WantEntry, encode
from peershelf.protocols.wire import encode_frame

MIB = 1024 * 1024


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
