"""Pins of a node: what they keep, what they refuse, and that no collection comes between."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import trio

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import DAG_PB, RAW, Cid
from peershelf.blockstore.dag import pb
from peershelf.blockstore.errors import BlockNotFound, UnsupportedCodec
from peershelf.node import Node
from peershelf.node.errors import NotPinned, PinnedAlready
from peershelf.node.fetching_dags import Gathered
from peershelf.node.pinned import BadBlock, Verified

GIT_RAW = 0x78


def leaf(number: int) -> Block:
    return Block.create(b"leaf %d" % number * 20)


def parent(*children: Block, data: bytes | None = None) -> Block:
    links = tuple(pb.Link(child.cid, b"", len(child.data)) for child in children)
    return Block.create(pb.encode(pb.PbNode(data, links)), codec=DAG_PB)


async def listed(node: Node, *kinds: str) -> list[tuple[Cid, str]]:
    return [(pin.cid, kind) async for pin, kind in node.pinned(*kinds)]  # type: ignore[arg-type]


async def verified(node: Node) -> list[Verified]:
    return [one async for one in node.verify_pins()]


async def test_indirect_blocks_are_listed_once_and_pins_are_not_among_them(node: Node) -> None:
    leaves = [leaf(number) for number in range(4)]
    inner = parent(*leaves[:3], leaves[0])
    first, second = parent(inner, leaves[3]), parent(inner, data=b"\x08\x01")
    node.store.put_many([*leaves, inner, first, second])
    for root in (first, second):
        await node.pin(root.cid)
    await node.pin(leaves[1].cid, recursive=False)
    below = [leaves[0].cid, leaves[2].cid, leaves[3].cid, inner.cid]
    assert sorted(await listed(node, "indirect")) == sorted((cid, "indirect") for cid in below)
    assert len(await listed(node, "direct", "recursive", "indirect")) == 7


async def test_below_a_direct_pin_that_another_pin_reaches_everything_is_indirect(node: Node) -> None:
    one = leaf(1)
    inner = parent(one)
    root = parent(inner)
    node.store.put_many([one, inner, root])
    await node.pin(inner.cid, recursive=False)
    await node.pin(root.cid)
    assert await listed(node, "indirect") == [(one.cid, "indirect")]


async def test_a_direct_pin_hides_no_recursive_one_that_reaches_the_block(node: Node) -> None:
    inner = parent(leaf(1))
    root = parent(inner, data=b"\x08\x01")
    node.store.put_many([leaf(1), inner, root])
    await node.pin(Cid.v1(RAW, inner.cid.multihash), recursive=False)
    await node.pin(root.cid)
    pin, kind = (await node.how_pinned(inner.cid))[inner.cid]
    assert (pin.cid, kind) == (root.cid, "indirect")


async def test_progress_counts_every_block_once(node: Node) -> None:
    leaves = [leaf(number) for number in range(50)]
    root = parent(*leaves, *leaves)
    node.store.put_many([*leaves, root])
    told: list[Gathered] = []
    await node.pin(root.cid, progress=told.append)
    assert [one.blocks for one in told] == list(range(1, 52))
    assert told[-1].size == sum(len(block.data) for block in (*leaves, root))


async def test_what_lies_under_an_unreadable_codec_is_pinned_directly_only(node: Node) -> None:
    strange = await node.put_block(b"blob 3\0abc", codec=GIT_RAW)
    for reference in (strange.cid, (await node.put_block(parent(strange).data, codec=DAG_PB)).cid):
        with pytest.raises(UnsupportedCodec, match="git-raw"):
            await node.pin(reference)
    with pytest.raises(UnsupportedCodec, match="git-raw"):
        await node.put_block(b"blob 3\0abc", codec=GIT_RAW, pin=True)
    assert await listed(node) == []
    await node.pin(strange.cid, recursive=False)
    assert await listed(node) == [(strange.cid, "direct")]


async def test_a_block_is_not_put_and_pinned_without_what_it_links_to(node: Node) -> None:
    root = parent(leaf(1))
    with pytest.raises(BlockNotFound, match=str(leaf(1).cid)):
        await node.put_block(root.data, codec=DAG_PB, pin=True)
    assert await listed(node) == []
    node.store.put_many([leaf(1)])
    await node.put_block(root.data, codec=DAG_PB, pin=True)
    assert await listed(node) == [(root.cid, "recursive")]


async def test_a_direct_pin_is_widened_and_a_recursive_one_not_narrowed(node: Node) -> None:
    root = parent(leaf(1))
    node.store.put_many([leaf(1), root])
    await node.pin(root.cid, recursive=False, name="mine")
    await node.pin(root.cid)
    assert node.pins.get(root.cid) is not None
    assert await listed(node) == [(root.cid, "recursive")]
    with pytest.raises(PinnedAlready):
        await node.pin(root.cid, recursive=False)


async def test_a_pin_that_is_given_up_while_it_is_updated_is_not_reported_as_moved(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = leaf(1), leaf(2)
    node.store.put_many([old, new])
    await node.pin(old.cid)
    sync = node.store.sync

    def unpinned_meanwhile(**options: int) -> None:
        node.pins.remove(old.cid)
        sync(**options)

    monkeypatch.setattr(node.store, "sync", unpinned_meanwhile)
    with pytest.raises(NotPinned, match="nothing was changed"):
        await node.pin_update(old.cid, new.cid)
    assert await listed(node) == []


async def test_verifying_names_what_is_bad_under_every_pin_that_needs_it(node: Node) -> None:
    leaves = [leaf(number) for number in range(6)]
    shared = parent(leaves[0], leaves[1])
    first = parent(shared, leaves[2])
    second = parent(leaves[3], shared, data=b"\x08\x01")
    whole = parent(leaves[4], leaves[5])
    blocks = [*leaves, shared, first, second, whole]
    node.store.put_many(blocks)
    for root in (first, second, whole):
        await node.pin(root.cid)
    await node.pin(leaves[1].cid, recursive=False)
    node.store.delete_many([leaves[1].cid, leaves[3].cid])
    bad = {one.pin.cid: {each.cid for each in one.bad} for one in await verified(node)}
    assert bad == {
        first.cid: {leaves[1].cid},
        second.cid: {leaves[1].cid, leaves[3].cid},
        whole.cid: set(),
        leaves[1].cid: {leaves[1].cid},
    }


async def test_verifying_reads_each_block_once(node: Node) -> None:
    shared = parent(*[leaf(number) for number in range(20)])
    roots = [parent(shared, data=b"\x08\x01" * count) for count in range(10)]
    node.store.put_many([*[leaf(number) for number in range(20)], shared, *roots])
    for root in roots:
        await node.pin(root.cid)
    read: list[int] = []
    found = [one async for one in node.verify_pins(read.append)]
    assert [one.bad for one in found] == [()] * 10
    assert len(read) == 31


async def test_verifying_reports_malformed_nodes(node: Node) -> None:
    broken = Block.create(b"no dag-pb", codec=DAG_PB)
    root = parent(broken)
    node.store.put_many([broken, root])
    node.pins.add(root.cid)
    assert [one.bad for one in await verified(node)] == [(BadBlock(broken.cid, "malformed"),)]


@contextmanager
def collecting(node: Node) -> Iterator[list[int]]:
    """Collect garbage over and over in a thread; gives how many blocks went each time."""
    removed: list[int] = []
    enough = threading.Event()
    failures: list[BaseException] = []

    def collect() -> None:
        try:
            while not enough.is_set():
                removed.append(node.collector.collect().blocks)
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=collect)
    thread.start()
    try:
        yield removed
    finally:
        enough.set()
        thread.join()
    assert not failures, failures


async def test_no_collection_comes_between_gathering_and_pinning(node: Node) -> None:
    rng = random.Random(3)
    pinned = []
    with collecting(node) as removed:
        for turn in range(40):
            leaves = [Block.create(rng.randbytes(200)) for _ in range(rng.choice((3, 60, 300)))]
            inner = [parent(*leaves[start : start + 50]) for start in range(0, len(leaves), 50)]
            root = parent(*inner, data=b"\x08\x01" * turn)
            await trio.to_thread.run_sync(node.store.put_many, [*leaves, *inner, root])
            try:
                pinned.append(await node.pin(root.cid))
            except BlockNotFound:
                continue  # it was collected before it was begun
            if turn % 4 == 3:
                await node.unpin(pinned.pop(rng.randrange(len(pinned))))
    assert sum(removed) > 100
    assert pinned
    found = await verified(node)
    assert {one.pin.cid for one in found} == set(pinned)
    assert all(not one.bad for one in found)
