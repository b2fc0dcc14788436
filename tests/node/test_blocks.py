"""Single blocks go in, come out and go, unless a pin needs them."""

from __future__ import annotations

import hashlib

import pytest
from contents import SMALL_CHUNKS, content, read

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import DAG_PB, Cid
from peershelf.blockstore.dag import pb
from peershelf.blockstore.errors import (
    BlockNotFound,
    BlockTooLarge,
)
from peershelf.node import Node
from peershelf.node.errors import StillPinned


async def test_blocks_go_in_and_out(node: Node) -> None:
    block = await node.put_block(b"a block")
    assert block.cid.digest == hashlib.sha256(b"a block").digest()
    assert (await node.get_block(block.cid)).data == b"a block"
    await node.remove_block(block.cid)
    with pytest.raises(BlockNotFound):
        await node.remove_block(block.cid)


async def test_a_block_that_a_pin_needs_stays(node: Node) -> None:
    cid = await node.add(content(5000), profile=SMALL_CHUNKS)
    leaf = await node.add(content(1000), profile=SMALL_CHUNKS, pin=False)
    for needed in (cid, leaf):
        with pytest.raises(StillPinned, match=str(cid)):
            await node.remove_block(needed)
    assert await read(node, cid) == content(5000)


async def test_a_pinned_dag_of_which_blocks_are_missing_keeps_no_other_block(node: Node) -> None:
    inner = Block.create(bytes.fromhex("0a020801"), codec=DAG_PB)
    root = pb.encode(pb.PbNode(None, (pb.Link(inner.cid),)))
    node.pins.add((await node.put_block(root, codec=DAG_PB)).cid)
    other = await node.put_block(b"other")
    await node.remove_block(other.cid)
    await node.put_block(inner.data, codec=DAG_PB)
    with pytest.raises(StillPinned):
        await node.remove_block(inner.cid)


async def test_blocks_that_their_cid_spells_out_need_no_store(node: Node) -> None:
    for cid, data in [
        ("bafkqabtimvwgy3yk", b"hello\n"),
        ("bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku", b""),
    ]:
        assert (await node.get_block(Cid.parse(cid))).data == data
        assert await read(node, cid) == data


async def test_an_oversized_block_is_refused(node: Node) -> None:
    with pytest.raises(BlockTooLarge):
        await node.put_block(bytes((2 << 20) + 1))
    assert (await node.stats()).blocks == 0


async def test_local_cids_are_cidv1_raw(node: Node) -> None:
    cids = {await node.add(b"one"), await node.add(b"two")}
    assert set(node.local_cids()) == cids
