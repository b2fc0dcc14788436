"""What users ask of sessions: wants that are shared, withdrawn or refused, and what a slow reader costs."""

from __future__ import annotations

import pytest
import trio

from peershelf.blockstore import multihash
from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import RAW, Cid
from peershelf.blockstore.errors import StoreFull, UnsupportedHash
from peershelf.blockstore.store.memory import MemoryStore
from peershelf.protocols.bitswap import Answer, BitswapLimits
from peershelf.protocols.bitswap.messages import Message
from peershelf.protocols.errors import LocalProtocolError


async def test_the_empty_block_and_identity_cids_are_known_without_asking(world, autojump_clock):
    node = await world.node("nobody near")
    empty = Block.create(b"")
    inline = Cid.v1(RAW, multihash.multihash(multihash.IDENTITY, b"inline"))
    assert await node.bitswap.get_block(empty.cid) == empty
    assert (await node.bitswap.get_block(inline)).data == b"inline"
    assert trio.current_time() == pytest.approx(0, abs=0.01)


async def test_a_cid_that_cannot_be_checked_is_refused(world, autojump_clock):
    node = await world.node("node")
    weak = Cid.v1(RAW, b"\x11\x14" + bytes(20))
    short = Cid.v1(RAW, b"\x12\x10" + bytes(16))
    for cid in (weak, short):
        with pytest.raises(UnsupportedHash):
            await node.bitswap.get_block(cid)
    assert node.bitswap.wantlist() == []


async def test_sessions_that_want_the_same_block_share_one_request(
    world, autojump_clock, make_blocks, payload
):
    (block,) = make_blocks(1)
    node = await world.node("node")
    stranger = world.stranger("stranger", node)
    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(node.bitswap.get_block, block.cid)
        await stranger.until(lambda: stranger.wants)
        await stranger.say(Message(payloads=(payload(block),)))
    assert len(stranger.wants) == 1


async def test_cancelling_withdraws_the_want_but_not_another_sessions(world, autojump_clock, make_blocks):
    shared, alone = make_blocks(2)
    node = await world.node("node")
    stranger = world.stranger("stranger", node)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(node.bitswap.get_block, shared.cid)
        with trio.move_on_after(1):
            async for _ in node.bitswap.get_blocks([shared.cid, alone.cid]):
                pass
        await stranger.until(lambda: any(entry.cancel for entry in stranger.wants))
        assert node.bitswap.wantlist() == [shared.cid]
        assert [entry.cid for entry in stranger.wants if entry.cancel] == [alone.cid]
        nursery.cancel_scope.cancel()


async def test_who_was_asked_and_what_they_said_can_be_told_after_the_timeout(
    world, autojump_clock, make_blocks
):
    (block,) = make_blocks(1)
    node, empty = await world.node("node"), await world.node("empty")
    world.connect(node, empty)
    silent = world.stranger("silent", node)
    with trio.move_on_after(10):
        await node.bitswap.get_block(block.cid)
    assert node.bitswap.asked_peers([block.cid]) == {
        block.cid: {empty.peer: Answer.DONT_HAVE, silent.peer: Answer.NONE}
    }


async def test_a_slow_consumer_stops_the_asking(world, autojump_clock, make_blocks):
    blocks = make_blocks(200, 10_000)
    limits = BitswapLimits(session_undelivered=100_000)
    one, other = await world.node("one", blocks), await world.node("other", limits=limits)
    world.connect(one, other)
    async with other.bitswap.session() as session:
        session.want(block.cid for block in blocks)
        await trio.sleep(60)
        assert other.bitswap.stat().bytes_received <= 200_000
        taken = 0
        async for _ in session:
            taken += 1
            await trio.sleep(0.01)
    assert taken == 200


async def test_receiving_where_nothing_is_wanted_is_a_mistake(world, autojump_clock):
    node = await world.node("node")
    async with node.bitswap.session() as session:
        with pytest.raises(LocalProtocolError):
            await session.receive()
    with pytest.raises(LocalProtocolError):
        session.want([Block.create(b"late").cid])


async def test_wanting_twice_brings_one_block(world, autojump_clock, make_blocks):
    (block,) = make_blocks(1)
    one, other = await world.node("one", [block]), await world.node("other")
    world.connect(one, other)
    async with other.bitswap.session() as session:
        session.want([block.cid, block.cid])
        session.want([block.cid])
        assert session.missing == 1
        assert [found async for found in session] == [block]


async def test_a_full_disk_ends_the_sessions_with_the_stores_error(world, autojump_clock, make_blocks):
    class FullStore(MemoryStore):
        def put_many(self, blocks, *, durable=True):
            if list(blocks):
                raise StoreFull("no space left")

    (block,) = make_blocks(1)
    one, other = await world.node("one", [block]), await world.node("other", store=FullStore())
    world.connect(one, other)
    with pytest.raises(StoreFull):
        await other.bitswap.get_block(block.cid)
    assert other.bitswap.wantlist() == []
