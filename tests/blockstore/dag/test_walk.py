from __future__ import annotations

import pytest

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import DAG_PB, Cid
from peershelf.blockstore.dag import pb
from peershelf.blockstore.dag.links import links
from peershelf.blockstore.dag.walk import walk
from peershelf.blockstore.errors import BlockNotFound, MalformedBlock, UnsupportedCodec
from peershelf.blockstore.multihash import IDENTITY


def parent(*children: Block) -> Block:
    return Block.create(
        pb.encode(pb.PbNode(None, tuple(pb.Link(child.cid) for child in children))), codec=DAG_PB
    )


class Source:
    def __init__(self, *blocks: Block) -> None:
        self.blocks = {block.cid: block.data for block in blocks}
        self.asked: list[Cid] = []

    def __call__(self, cid: Cid) -> bytes:
        self.asked.append(cid)
        if cid not in self.blocks:
            raise BlockNotFound(str(cid))
        return self.blocks[cid]


def cids(*blocks: Block) -> list[Cid]:
    return [block.cid for block in blocks]


A, B, C = (Block.create(data) for data in (b"a", b"b", b"c"))


def test_raw_blocks_link_to_nothing_whatever_they_hold() -> None:
    assert links(A.cid, parent(A).data) == ()


def test_links_come_in_order_with_repetitions() -> None:
    node = parent(B, A, B)
    assert links(node.cid, node.data) == (B.cid, A.cid, B.cid)


def test_links_of_other_codecs_cannot_be_read() -> None:
    block = Block.create(b"{}", codec=0x0200)
    with pytest.raises(UnsupportedCodec, match="json"):
        links(block.cid, block.data)


def test_a_block_that_is_no_dag_pb_is_malformed() -> None:
    block = Block.create(b"hello", codec=DAG_PB)
    with pytest.raises(MalformedBlock):
        links(block.cid, block.data)


def test_parents_come_before_children_and_first_children_before_their_siblings() -> None:
    left = parent(A, B)
    root = parent(left, C)
    assert list(walk(root.cid, Source(left, root))) == cids(root, left, A, B, C)


def test_each_block_comes_once_and_is_read_once() -> None:
    left, right = parent(A, A), parent(A)
    root = parent(left, right, left)
    source = Source(left, right, root)
    assert list(walk(root.cid, source)) == cids(root, left, A, right)
    assert source.asked == cids(root, left, right), "a raw block has no links to read"


def test_2_to_the_64_ways_to_the_leaf_end_soon() -> None:
    levels = [A]
    for _ in range(64):
        levels.append(parent(levels[-1], levels[-1]))
    assert list(walk(levels[-1].cid, Source(*levels))) == cids(*levels[::-1])


def test_a_chain_deeper_than_the_stack_is_walked() -> None:
    chain = [A]
    for _ in range(5_000):
        chain.append(parent(chain[-1]))
    assert sum(1 for _ in walk(chain[-1].cid, Source(*chain))) == 5_001


def test_what_a_cid_spells_out_is_not_asked_for() -> None:
    inline = Block.create(parent(A).data, codec=DAG_PB, hash_code=IDENTITY)
    empty = Block.create(b"", codec=DAG_PB)
    root = parent(inline, empty)
    source = Source(root)
    assert list(walk(root.cid, source)) == cids(root, inline, A, empty)
    assert source.asked == [root.cid]


def test_a_missing_block_ends_the_walk_with_its_name() -> None:
    here, missing = parent(A), parent(B)
    root = parent(here, missing)
    with pytest.raises(BlockNotFound, match=str(missing.cid)):
        list(walk(root.cid, Source(root, here)))
