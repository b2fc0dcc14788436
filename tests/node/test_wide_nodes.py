"""Nodes of a stranger that are as wide as a block allows do not keep the event loop from others."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
import trio
from contents import read

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import DAG_PB, RAW, Cid
from peershelf.blockstore.dag import pb
from peershelf.blockstore.unixfs import file_node, message
from peershelf.blockstore.unixfs.file_node import FileNode
from peershelf.blockstore.unixfs.message import Data, DataType
from peershelf.node import Node
from peershelf.node.dags import Visit, walk_dag

WIDTH = 5_000


def inline(data: bytes) -> Cid:
    return Cid.v1(RAW, bytes((0, len(data))) + data)


async def test_a_wide_file_is_decoded_beside_the_event_loop(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode, threads = file_node.decode, set()

    def noting(block: Block) -> FileNode:
        if block.cid.codec == DAG_PB:
            threads.add(threading.current_thread())
        return decode(block)

    content = Data(DataType.FILE, filesize=WIDTH, blocksizes=(1,) * WIDTH)
    links = tuple(pb.Link(inline(b"a")) for _ in range(WIDTH))
    wide = pb.encode(pb.PbNode(message.encode(content), links))
    root = await node.put_block(wide, codec=DAG_PB)
    monkeypatch.setattr(file_node, "decode", noting)
    assert await read(node, root.cid) == b"a" * WIDTH
    assert threads
    assert threading.current_thread() not in threads


async def test_others_have_their_turns_while_links_are_visited_that_hold_their_blocks(node: Node) -> None:
    links = tuple(pb.Link(inline(b"%d" % number)) for number in range(WIDTH))
    root = await node.put_block(pb.encode(pb.PbNode(None, links)), codec=DAG_PB)
    turn = 0
    visits: Counter[int] = Counter()

    async def visit(one: Visit) -> None:
        visits[turn] += 1

    async with trio.open_nursery() as nursery:

        async def others() -> None:
            nonlocal turn
            while True:
                turn += 1
                await trio.lowlevel.checkpoint()

        nursery.start_soon(others)
        await walk_dag(node.blocks, [root.cid], visit)
        nursery.cancel_scope.cancel()
    assert visits.total() == WIDTH + 1
    # The root comes in one turn with the first batch of its links.
    assert max(visits.values()) < WIDTH / 2
