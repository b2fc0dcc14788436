"""Nodes exchange blocks: both halves and their drivers together, over the fake network in virtual time."""

from __future__ import annotations

from contextlib import aclosing

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from peershelf.blockstore import multihash
from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import DAG_PB, RAW, Cid
from peershelf.blockstore.errors import StoreFull, UnsupportedHash
from peershelf.blockstore.store.memory import MemoryStore
from peershelf.protocols.bitswap import Answer, BitswapLimits
from peershelf.protocols.bitswap.messages import (
    BITSWAP_1_0_0,
    BITSWAP_1_1_0,
    Message,
    Presence,
    WantEntry,
)
from peershelf.protocols.errors import LocalProtocolError


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


async def test_nodes_of_earlier_protocol_versions_are_served(world, autojump_clock, make_blocks):
    data = make_blocks(1)[0].data
    block = Block.create(data, codec=DAG_PB, version=0)
    node = await world.node("node", [block])
    for version in (BITSWAP_1_1_0, BITSWAP_1_0_0):
        stranger = world.stranger(version, node, protocol=version)
        await stranger.say(Message(wants=(WantEntry(block.cid),)))
        await stranger.until(lambda stranger=stranger: stranger.blocks)
        assert stranger.blocks == [data]


@pytest.mark.parametrize("version", [BITSWAP_1_1_0, BITSWAP_1_0_0])
async def test_blocks_come_from_peers_of_earlier_versions(
    world, autojump_clock, make_blocks, payload, version
):
    data = make_blocks(1)[0].data
    block = Block.create(data, codec=DAG_PB, version=0)
    node, bystander = await world.node("node"), await world.node("bystander")
    world.connect(node, bystander)

    async def react(stranger, message):
        assert not any(entry.have_only for entry in message.wants)
        if any(not entry.cancel for entry in message.wants):
            await stranger.say(Message(payloads=(payload(block),)))

    world.stranger("old", node, protocol=version, react=react)
    assert await node.bitswap.get_block(block.cid) == block


async def test_a_peer_that_answers_each_time_on_a_new_stream_is_understood(
    world, autojump_clock, make_blocks, payload
):
    blocks = make_blocks(10)
    node = await world.node("node")
    by_cid = {block.cid: block for block in blocks}
    streams = []

    async def react(stranger, message):
        for entry in message.wants:
            if not entry.cancel:
                stranger.reply = None
                await stranger.say(Message(payloads=(payload(by_cid[entry.cid]),)))
                streams.append(stranger.reply)

    world.stranger("kubo", node, react=react)
    async for _ in node.bitswap.get_blocks(by_cid):
        pass
    assert len(streams) == 10
    # They stay open until their opener ends them.
    await streams[0].aclose()
    assert await streams[0].receive_some() == b""


async def test_answers_come_on_our_own_streams_which_are_kept(world, autojump_clock, make_blocks):
    blocks = make_blocks(5)
    node = await world.node("node", blocks)
    stranger = world.stranger("stranger", node)
    inbound = []
    handler = stranger.handle

    async def count(stream):
        inbound.append(stream)
        await handler(stream)

    stranger.network.handle([stranger.protocol], count)
    for block in blocks:
        await stranger.say(Message(wants=(WantEntry(block.cid), WantEntry(block.cid, have_only=True))))
        await stranger.until(lambda block=block: block.data in stranger.blocks)
    assert len(inbound) <= 2
    with trio.move_on_after(1):
        await stranger.reply.receive_some()
        pytest.fail("the node wrote to the stream that the request came in on")


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


async def test_a_node_that_leaves_midway_is_replaced(world, autojump_clock, make_blocks, fetch):
    blocks = make_blocks(100, 20_000)
    one = await world.node("one", blocks, upload=500_000)
    two = await world.node("two", blocks, upload=500_000)
    other = await world.node("other")
    world.connect(one, other)
    world.connect(two, other)
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
    one = await world.node("one", blocks, upload=500_000)
    two = await world.node("two", blocks, upload=500_000)
    other = await world.node("other")
    world.connect(one, other)
    world.connect(two, other)
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


async def test_a_peer_without_bitswap_does_not_matter(world, autojump_clock, make_blocks):
    (block,) = make_blocks(1)
    one, other = await world.node("one", [block]), await world.node("other")
    deaf = world.stranger("deaf", other)
    deaf.network._handlers.clear()
    world.connect(one, other)
    assert await other.bitswap.get_block(block.cid) == block
