"""Links of blocks of every codec, as walks, pins and collections follow them."""

from __future__ import annotations

import pytest

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import DAG_CBOR, DAG_JSON, DAG_PB, Cid
from peershelf.blockstore.dag import pb
from peershelf.blockstore.dag.fast_links import targets
from peershelf.blockstore.dag.guide import AllLinks
from peershelf.blockstore.dag.links import links
from peershelf.blockstore.dag.pb import Link
from peershelf.blockstore.errors import MalformedBlock
from peershelf.blockstore.gc.marking import Marks
from peershelf.blockstore.ipld import codecs
from peershelf.blockstore.pins import Pin

LEAVES = [Block.create(bytes([number])) for number in range(3)]
A, B, C = (leaf.cid for leaf in LEAVES)


def parent(codec: int, *children: Cid) -> Block:
    if codec == DAG_PB:
        return Block.create(pb.encode(pb.PbNode(None, tuple(map(pb.Link, children)))), codec=codec)
    node = {"z": list(children[:1]), "aa": {"link": children[1]}, "b": children[2]}
    return Block.create(codecs.encode(codec, node), codec=codec)


@pytest.mark.parametrize(
    ("codec", "order"), [(DAG_CBOR, [C, A, B]), (DAG_JSON, [B, C, A]), (DAG_PB, [A, B, C])]
)
def test_links_come_in_the_order_of_the_bytes(codec: int, order: list[Cid]) -> None:
    block = parent(codec, A, B, C)
    assert list(links(block.cid, block.data)) == order
    assert [step.cid for step in AllLinks().expand(Link(block.cid), block.data)] == order
    assert list(targets(block.cid, block.data)) == [(cid.codec, cid.multihash) for cid in order]


@pytest.mark.parametrize("codec", [DAG_CBOR, DAG_JSON])
def test_a_collection_keeps_what_is_below_a_pin_through_every_codec(codec: int) -> None:
    tree = parent(DAG_PB, A, B, C)
    node = parent(codec, tree.cid, tree.cid, C)
    root = parent(DAG_JSON if codec == DAG_CBOR else DAG_CBOR, node.cid, C, C)
    blocks = {block.cid.multihash: block.data for block in (*LEAVES, tree, node, root)}
    marks = Marks(lambda cid: blocks[cid.multihash])
    marks.add_pin(Pin(root.cid, recursive=True))
    assert marks.live.keys == set(blocks)


@pytest.mark.parametrize("codec", [DAG_CBOR, DAG_JSON])
def test_bytes_that_are_not_their_codec_are_malformed(codec: int) -> None:
    block = Block.create(b"\x18\x01", codec=codec)
    with pytest.raises(MalformedBlock):
        links(block.cid, block.data)
    with pytest.raises(MalformedBlock):
        targets(block.cid, block.data)
