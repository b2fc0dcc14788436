"""Files that lie about themselves, or are made to exhaust whoever reads them."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import DAG_CBOR, DAG_PB, RAW, Cid
from peershelf.blockstore.dag import pb
from peershelf.blockstore.errors import BlockstoreError, MalformedBlock, NotAFile
from peershelf.blockstore.multihash import IDENTITY, SHA2_256
from peershelf.blockstore.unixfs import exporter, message
from peershelf.blockstore.unixfs.exporter import MAX_DEPTH, FileReader
from peershelf.blockstore.unixfs.message import Data, DataType

LEAF = Block.create(b"0123456789")


def file_node(
    *children: tuple[Block, int],
    data: bytes | None = None,
    filesize: int | None = None,
    hash_code: int = SHA2_256,
) -> Block:
    """A node that claims whatever it is told."""
    content = Data(DataType.FILE, data, filesize, tuple(size for _, size in children))
    links = tuple(pb.Link(block.cid) for block, _ in children)
    return Block.create(
        pb.encode(pb.PbNode(message.encode(content), links)), codec=DAG_PB, hash_code=hash_code
    )


def unixfs(content: Data) -> Block:
    return Block.create(pb.encode(pb.PbNode(message.encode(content))), codec=DAG_PB)


def read(shelf: Any, root: Block, *blocks: Block) -> Any:
    shelf.put(root, *blocks)
    return shelf.read(FileReader(root.cid))


def test_bytes_of_an_inner_node_come_before_those_of_its_children(shelf: Any) -> None:
    inner = file_node((LEAF, 10), data=b"in ", filesize=13)
    root = file_node((inner, 13), (LEAF, 10), data=b"root ")
    assert read(shelf, root, inner, LEAF) == b"root in 01234567890123456789"
    assert shelf.read(FileReader(root.cid, offset=3, length=4)) == b"t in"


def test_leaves_of_type_raw_are_read(shelf: Any) -> None:
    leaf = unixfs(Data(DataType.RAW, b"raw leaf", 8))
    assert read(shelf, file_node((leaf, 8)), leaf) == b"raw leaf"


@pytest.mark.parametrize(
    "root",
    [
        pytest.param(file_node((LEAF, 9)), id="a child longer than claimed"),
        pytest.param(file_node((LEAF, 11)), id="a child shorter than claimed"),
        pytest.param(file_node((LEAF, 10), filesize=11), id="a file longer than its parts"),
        pytest.param(file_node((LEAF, 10), filesize=9), id="a file shorter than its parts"),
        pytest.param(file_node(data=b"abc", filesize=4), id="a leaf longer than its bytes"),
        pytest.param(file_node(filesize=1 << 63), id="a size of bytes that are not there"),
        pytest.param(file_node((LEAF, (1 << 64) - 1), (LEAF, 10)), id="sizes that pass 2^64"),
    ],
)
def test_sizes_that_lie_are_malformed(shelf: Any, root: Block) -> None:
    with pytest.raises(MalformedBlock):
        read(shelf, root, LEAF)


@pytest.mark.parametrize("sizes", [(), (10,), (10, 10, 10)])
def test_links_and_sizes_must_be_as_many(shelf: Any, sizes: tuple[int, ...]) -> None:
    content = message.encode(Data(DataType.FILE, blocksizes=sizes))
    node = pb.PbNode(content, (pb.Link(LEAF.cid), pb.Link(LEAF.cid)))
    with pytest.raises(MalformedBlock):
        read(shelf, Block.create(pb.encode(node), codec=DAG_PB), LEAF)


@pytest.mark.parametrize(
    ("block", "kind"),
    [
        (unixfs(Data(DataType.DIRECTORY)), "directory"),
        (unixfs(Data(DataType.HAMT)), "directory"),
        (unixfs(Data(DataType.SYMLINK, b"elsewhere")), "symbolic link"),
        (unixfs(Data(DataType.METADATA)), "metadata"),
        (Block.create(b"", codec=DAG_PB), "dag-pb node"),
    ],
)
def test_what_is_no_file_is_named(shelf: Any, block: Block, kind: str) -> None:
    with pytest.raises(NotAFile, match=kind):
        read(shelf, block)
    with pytest.raises(MalformedBlock, match=kind):
        read(shelf, file_node((block, 10)), block)


def test_other_codecs_are_no_files_whoever_links_to_them(shelf: Any) -> None:
    block = Block.create(b"\xa0", codec=DAG_CBOR)
    with pytest.raises(NotAFile, match="dag-cbor"):
        FileReader(block.cid)
    with pytest.raises(MalformedBlock):
        read(shelf, file_node((block, 1)), block)


def test_a_node_that_is_no_dag_pb_is_malformed(shelf: Any) -> None:
    with pytest.raises(MalformedBlock):
        read(shelf, Block.create(b"not protobuf", codec=DAG_PB))


def test_empty_children_are_not_fetched(shelf: Any) -> None:
    assert read(shelf, file_node((Block.create(b"never seen"), 0), (LEAF, 10)), LEAF) == b"0123456789"


def chain(length: int) -> list[Block]:
    blocks = [LEAF]
    for _ in range(length):
        blocks.append(file_node((blocks[-1], 10)))
    return blocks


def test_chains_are_read_up_to_a_depth(shelf: Any) -> None:
    blocks = chain(MAX_DEPTH)
    assert read(shelf, blocks[-1], *blocks) == LEAF.data
    blocks = chain(MAX_DEPTH + 1)
    with pytest.raises(MalformedBlock, match="deeper"):
        read(shelf, blocks[-1], *blocks)


def test_chains_spelled_out_in_cids_end_too(shelf: Any) -> None:
    inner = file_node(data=b"x", hash_code=IDENTITY)
    nested = file_node((inner, 1), hash_code=IDENTITY)
    reader = FileReader(nested.cid)
    assert reader.wants(0) == []
    assert reader.read() == [b"x"]


def test_the_middle_of_2_to_the_60_bytes_made_of_61_blocks_is_read(shelf: Any) -> None:
    blocks = [Block.create(b"x")]
    for level in range(60):
        blocks.append(file_node((blocks[-1], 1 << level), (blocks[-1], 1 << level)))
    shelf.put(*blocks)
    reader = FileReader(blocks[-1].cid, offset=(1 << 59) - 2, length=4)
    assert shelf.read(reader) == b"xxxx"
    assert reader.size == 1 << 60
    assert len(shelf.fetched) < 200


def test_too_many_links_on_one_path_are_malformed(shelf: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporter, "_OVERFULL", 1000)
    inner = file_node(*[(LEAF, 10)] * 600)
    root = file_node(*[(inner, 6000)] * 600)
    with pytest.raises(MalformedBlock, match="too many links"):
        read(shelf, root, inner, LEAF)


cids = st.builds(
    Cid, st.just(1), st.sampled_from([RAW, DAG_PB, DAG_CBOR]), st.just(LEAF.cid.multihash)
) | st.binary(max_size=30).map(lambda data: Block.create(data, codec=DAG_PB, hash_code=IDENTITY).cid)
contents = st.builds(
    Data,
    st.sampled_from(DataType),
    st.none() | st.binary(max_size=5),
    st.none() | st.integers(0, 50),
    st.lists(st.integers(0, 20), max_size=3).map(tuple),
)
nodes = st.builds(
    pb.PbNode,
    st.none() | st.binary(max_size=10) | contents.map(message.encode),
    st.lists(st.builds(pb.Link, cids), max_size=3).map(tuple),
)


@given(nodes)
def test_arbitrary_nodes_are_read_or_refused_in_our_own_words(make_shelf: Any, node: pb.PbNode) -> None:
    shelf = make_shelf()
    dag_pb = Block.create(LEAF.data, codec=DAG_PB)
    with suppress(BlockstoreError):
        read(shelf, Block.create(pb.encode(node), codec=DAG_PB), LEAF, dag_pb)
