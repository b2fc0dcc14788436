"""Walks over real stores, and between nodes over real sockets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import trio

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import DAG_PB, Cid
from peershelf.blockstore.dag import pb
from peershelf.blockstore.errors import BlockNotFound
from peershelf.node import Node
from peershelf.node.dags import Visit, walk_dag
from peershelf.node.errors import TimedOut

LOOPBACK = {"Addresses.Swarm": ["/ip4/127.0.0.1/tcp/0"], "Bootstrap": []}


@pytest.fixture
def node(tmp_path: Path) -> Callable[..., Node]:
    """Makes nodes with repos of their own, to be entered by the test."""
    made = 0

    def make(*, online: bool = True) -> Node:
        nonlocal made
        made += 1
        return Node(tmp_path / f"repo-{made}", online=online, settings=LOOPBACK)

    return make


def parent(*children: Block) -> Block:
    return Block.create(
        pb.encode(pb.PbNode(None, tuple(pb.Link(child.cid) for child in children))), codec=DAG_PB
    )


def leaves(count: int) -> list[Block]:
    return [Block.create(b"%d" % number) for number in range(count)]


async def walked(node: Node, *roots: Cid, **options: object) -> list[Visit]:
    visits: list[Visit] = []

    async def keep(visit: Visit) -> None:
        visits.append(visit)

    await walk_dag(node.blocks, roots, keep, **options)  # type: ignore[arg-type]
    return visits


async def put(node: Node, blocks: Sequence[Block]) -> None:
    await trio.to_thread.run_sync(node.store.put_many, blocks)


async def test_every_block_is_visited_once_in_order(node: Callable[..., Node]) -> None:
    one, two, three = leaves(3)
    inner = parent(two, one)
    root = parent(one, inner, three)
    async with node(online=False) as opened:
        await put(opened, [one, two, three, inner, root])
        visits = await walked(opened, root.cid)
        assert [visit.cid for visit in visits] == [block.cid for block in (root, one, inner, two, three)]
        assert [visit.depth for visit in visits] == [0, 1, 1, 2, 1]
        assert [visit.data for visit in visits][1] == one.data
        assert visits[2].links == (two.cid, one.cid)
        shallow = await walked(opened, root.cid, max_depth=1)
        assert [visit.cid for visit in shallow] == [block.cid for block in (root, one, inner, three)]


async def test_leaves_that_are_here_need_not_be_read(node: Callable[..., Node]) -> None:
    one, two = leaves(2)
    async with node(online=False) as opened:
        await put(opened, [one, parent(one, two)])
        visits = []

        async def keep(visit: Visit) -> None:
            visits.append(visit)

        with pytest.raises(BlockNotFound, match=str(two.cid)):
            await walk_dag(opened.blocks, [parent(one, two).cid], keep, load_leaves=False)
    assert [visit.data is None for visit in visits] == [False, True]


async def test_a_tree_at_a_peer_is_one_pipeline_and_stays(node: Callable[..., Node]) -> None:
    small = leaves(2000)
    inner = [parent(*small[start : start + 5]) for start in range(0, 2000, 5)]
    async with node() as giver, node() as taker:
        await put(giver, [*small, *inner, parent(*inner)])
        await taker.connect(giver.addresses()[0])
        assert len(await walked(taker, parent(*inner).cid)) == 2401
        assert taker.online.exchange.stat().messages_received < 200
        await taker.disconnect(taker.peers()[0])
        assert len(await walked(taker, parent(*inner).cid, offline=True)) == 2401


async def test_a_walk_ends_when_its_time_is_up(node: Callable[..., Node]) -> None:
    async with node() as taker:
        with pytest.raises(TimedOut):
            await walked(taker, parent(*leaves(2)).cid, timeout=0.1)
