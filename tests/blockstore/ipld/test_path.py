"""Paths through blocks of all codecs."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import DAG_CBOR, DAG_JSON, DAG_PB, Cid
from peershelf.blockstore.dag import pb
from peershelf.blockstore.errors import InvalidPath, MalformedBlock, PathNotFound, UnsupportedCodec
from peershelf.blockstore.ipld import codecs
from peershelf.blockstore.ipld import path as dag_path
from peershelf.blockstore.ipld.model import Node
from peershelf.blockstore.ipld.path import Resolved, node_at
from peershelf.blockstore.multihash import IDENTITY
from peershelf.blockstore.unixfs import message
from peershelf.blockstore.unixfs.message import DataType


def block_of(node: Node, codec: int = DAG_CBOR, **options: int) -> Block:
    return Block.create(codecs.encode(codec, node), codec=codec, **options)


LEAF = Block.create(b"a leaf")
DATA = block_of({"deep": [1, {"y": "z"}, LEAF.cid], "x": None, "": 3})
JSON = block_of({"data": [DATA.cid], "é": {"0": 1}}, DAG_JSON)
INLINE = block_of({"next": JSON.cid}, hash_code=IDENTITY)
DIRECTORY = Block.create(
    pb.encode(
        pb.PbNode(
            message.encode(message.Data(DataType.DIRECTORY)),
            (pb.Link(INLINE.cid, b"Links", 5), pb.Link(LEAF.cid, b"leaf", 6), pb.Link(LEAF.cid, b"\xff")),
        )
    ),
    codec=DAG_PB,
)
BLOCKS = (LEAF, DATA, JSON, DIRECTORY)


def follow(reference: Cid | str, blocks: Iterable[Block] = BLOCKS) -> tuple[Resolved, list[Cid]]:
    """Where a path ends, and the blocks that it took."""
    by_cid = {block.cid: block for block in blocks}
    path, taken = dag_path.parse(reference), []
    while (wanted := path.wanted) is not None:
        taken.append(wanted)
        path.receive(by_cid[wanted])
    assert path.result is not None
    return path.result, taken


@pytest.mark.parametrize(
    ("reference", "end", "rest", "taken"),
    [
        (f"{DATA.cid}", DATA, (), 0),
        (f"{DATA.cid}/deep", DATA, ("deep",), 1),
        (f"{DATA.cid}/deep/1/y", DATA, ("deep", "1", "y"), 1),
        (f"{DATA.cid}/deep/01/", DATA, ("deep", "01"), 1),
        (f"{DATA.cid}/x", DATA, ("x",), 1),
        (f"{DATA.cid}/deep/2", LEAF, (), 1),
        (f"/ipfs/{JSON.cid}/data/0", DATA, (), 1),
        (f"{JSON.cid}/data/0/deep/0", DATA, ("deep", "0"), 2),
        (f"{JSON.cid}/é/0", JSON, ("é", "0"), 1),
        (f"{DIRECTORY.cid}/Links/next/data/0/deep/2", LEAF, (), 3),
        (f"{DIRECTORY.cid}/leaf", LEAF, (), 1),
        (f"{DIRECTORY.cid}/\udcff", LEAF, (), 1),
        (f"/ipld/{DIRECTORY.cid}/Links/0/Hash", INLINE, (), 1),
        (f"/ipld/{DIRECTORY.cid}/Links/0/Hash/next/data", JSON, ("data",), 2),
        (f"/ipld/{DIRECTORY.cid}/Links/1/Name", DIRECTORY, ("Links", "1", "Name"), 1),
        (f"/ipld/{DIRECTORY.cid}/Data", DIRECTORY, ("Data",), 1),
    ],
)
def test_a_path_ends_in_a_block_and_inside_of_it(
    reference: str, end: Block, rest: tuple[str, ...], taken: int
) -> None:
    resolved, blocks = follow(reference)
    assert resolved == Resolved(end.cid, rest)
    assert len(blocks) == taken


def test_what_is_there_is_what_a_path_names() -> None:
    resolved, _ = follow(f"{JSON.cid}/data/0/deep/1")
    assert node_at(resolved, DATA) == {"y": "z"}
    assert node_at(Resolved(LEAF.cid), LEAF) == b"a leaf"


@pytest.mark.parametrize(
    "reference",
    [
        f"{DATA.cid}/nope",
        f"{DATA.cid}/nope/x",
        f"{DATA.cid}/deep/3",
        f"{DATA.cid}/deep/-1",
        f"{DATA.cid}/deep/y",
        f"{DATA.cid}/deep/²",
        f"{DATA.cid}/deep/0000000000000000001",
        f"{DATA.cid}/deep/{'9' * 5000}",
        f"{DATA.cid}/x/y",
        f"{DATA.cid}/deep/0/1",
        f"{DATA.cid}/deep/2/x",
        f"{DIRECTORY.cid}/Data",
        f"{DIRECTORY.cid}/lea",
        f"/ipld/{DIRECTORY.cid}/leaf",
        f"/ipld/{DIRECTORY.cid}/Links/3",
    ],
)
def test_a_path_to_nothing_names_what_is_missing(reference: str) -> None:
    with pytest.raises(PathNotFound, match=r"no link named '.*' under b"):
        follow(reference)


def test_other_blocks_are_passed_over() -> None:
    path = dag_path.parse(f"{JSON.cid}/data")
    path.receive(DATA)
    assert path.wanted == JSON.cid


def test_blocks_that_are_broken_or_of_another_codec_are_told() -> None:
    broken = Block.create(b"\xff", codec=DAG_CBOR)
    with pytest.raises(MalformedBlock):
        follow(f"{broken.cid}/x", [broken])
    other = Block.create(b"x", codec=0x78)
    with pytest.raises(UnsupportedCodec, match="git-raw"):
        follow(f"{other.cid}/x", [other])
    assert follow(other.cid) == (Resolved(other.cid), [])
    with pytest.raises(InvalidPath):
        follow("/ipld//x")
