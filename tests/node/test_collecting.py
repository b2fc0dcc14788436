"""Garbage collection beside everything else that a node does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, suppress

import pytest
import trio
from contents import SMALL_CHUNKS, content, read

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import AlreadyCollecting, BlockNotFound, BrokenPin
from peershelf.node import Node
from peershelf.node.collecting import Collected
from peershelf.node.storage_limit import StorageLimit, keep_below


async def test_what_is_pinned_stays_and_the_rest_goes(node: Node) -> None:
    kept = await node.add(content(50_000, 1), profile=SMALL_CHUNKS)
    garbage = await node.add(content(50_000, 2), profile=SMALL_CHUNKS, pin=False)
    done = await node.collect_garbage()
    assert await read(node, kept) == content(50_000, 1)
    with pytest.raises(BlockNotFound):
        await read(node, garbage)
    assert done.blocks > 50
    assert done.payload_size >= 50_000
    assert done.freed > 40_000
    assert (await node.collect_garbage()).blocks == 0


async def test_removed_blocks_are_told_as_the_store_names_them(node: Node) -> None:
    garbage = await node.add(b"x", pin=False)
    told: list[Cid] = []

    async def on_collected(cids: object, done: Collected) -> None:
        told.extend(cids)  # type: ignore[call-overload]

    await node.collect_garbage(on_collected)
    assert told == [garbage]


async def test_an_unpinned_file_that_is_being_read_stays_to_its_end(node: Node) -> None:
    data = content(200_000, 3)
    cid = await node.add(data, profile=SMALL_CHUNKS, pin=False)
    async with aclosing(node.cat(cid)) as chunks:
        got = bytes(await anext(chunks))
        assert (await node.collect_garbage()).blocks == 0
        async for chunk in chunks:
            got += bytes(chunk)
    assert got == data
    assert (await node.collect_garbage()).blocks > 200


async def test_an_add_that_is_under_way_keeps_old_blocks_and_new(node: Node) -> None:
    data = content(100_000, 4)
    await node.add(data[:50_000], profile=SMALL_CHUNKS, pin=False)
    may_end = trio.Event()

    async def chunks() -> AsyncIterator[bytes]:
        yield data[:99_000]
        await may_end.wait()
        yield data[99_000:]

    added: list[Cid] = []
    async with trio.open_nursery() as nursery:

        async def add() -> None:
            added.append(await node.add(chunks(), profile=SMALL_CHUNKS))

        nursery.start_soon(add)
        await trio.testing.wait_all_tasks_blocked(0.05)
        await node.collect_garbage()
        may_end.set()
    assert await read(node, added[0]) == data
    await node.collect_garbage()
    assert await read(node, added[0]) == data


async def test_a_broken_pin_stops_a_collection_before_it_removes_anything(node: Node) -> None:
    kept = await node.add(content(50_000, 5), profile=SMALL_CHUNKS)
    garbage = await node.add(content(5_000, 6), profile=SMALL_CHUNKS, pin=False)
    node.store.delete_many([kept])
    with pytest.raises(BrokenPin, match=str(kept)):
        await node.collect_garbage()
    assert await read(node, garbage) == content(5_000, 6)


async def test_one_at_a_time(node: Node) -> None:
    with node.store.collecting(), pytest.raises(AlreadyCollecting):
        await node.collect_garbage()


async def test_a_cancelled_collection_can_be_run_again(node: Node) -> None:
    for seed in range(3):
        await node.add(content(2_000_000, seed), profile=SMALL_CHUNKS, pin=False)
    kept = await node.add(content(50_000, 7), profile=SMALL_CHUNKS)
    with trio.CancelScope() as scope:

        async def on_collected(cids: object, done: Collected) -> None:
            scope.cancel()

        await node.collect_garbage(on_collected)
    assert scope.cancelled_caught
    assert (await node.collect_garbage()).blocks > 0
    assert await read(node, kept) == content(50_000, 7)


@pytest.mark.slow
async def test_collections_in_a_loop_beside_adds_and_reads_lose_nothing(node: Node) -> None:
    """Every add shares blocks with garbage of before; every read is of something that no pin keeps."""
    ended = 0
    files = [content(60_000, seed % 3) + content(20_000, 100 + seed) for seed in range(12)]

    async def work(seed: int) -> None:
        nonlocal ended
        data = files[seed]
        for _ in range(3):
            unpinned = await node.add(data, profile=SMALL_CHUNKS, pin=False)
            async with aclosing(node.cat(unpinned)) as chunks:
                # It may go in the very moment when reading begins; nothing but its own bytes is ever read.
                with suppress(BlockNotFound):
                    assert b"".join([bytes(chunk) async for chunk in chunks]) == data
            pinned = await node.add(data, profile=SMALL_CHUNKS)
            assert await read(node, pinned) == data
            await trio.to_thread.run_sync(node.pins.remove, pinned)
        ended += 1

    async def collect() -> None:
        while ended < len(files):
            await node.collect_garbage()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(collect)
        for seed in range(len(files)):
            nursery.start_soon(work, seed)
    await node.collect_garbage()
    assert (await node.stats()).blocks == 0


def test_a_collection_is_due_above_the_high_water_and_again_only_after_growth() -> None:
    limit = StorageLimit(1000, 90)
    assert not limit.is_due(900)
    assert limit.is_due(901)
    limit.collected(950)
    assert not limit.is_due(970)
    assert limit.is_due(971)
    assert not StorageLimit(1000, 0).is_due(5000)


async def test_a_repo_over_its_high_water_is_collected(autojump_clock: object) -> None:
    sizes = iter([100, 950, 400, 500, 950, 940])
    collected: list[int] = []
    done = trio.Event()

    async def used() -> int:
        size = next(sizes, None)
        if size is None:
            done.set()
            await trio.sleep_forever()
        assert size is not None
        return size

    async def collect() -> Collected:
        collected.append(1)
        return Collected()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(keep_below, StorageLimit(1000, 90), used, collect)
        await done.wait()
        nursery.cancel_scope.cancel()
    assert len(collected) == 2
