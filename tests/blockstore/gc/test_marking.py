"""Which blocks must stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.blockstore import multihash
from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import DAG_JSON, DAG_PB, RAW, Cid
from peershelf.blockstore.dag import pb
from peershelf.blockstore.dag.fast_links import raw_leaves, targets
from peershelf.blockstore.errors import BrokenPin, MalformedBlock
from peershelf.blockstore.gc.marking import Marks
from peershelf.blockstore.pins import Pin
from peershelf.blockstore.store.memory import MemoryStore

LEAVES = [Block.create(bytes([number]) * 50) for number in range(8)]


def parent(*children: Block, data: bytes | None = None) -> Block:
    links = tuple(pb.Link(child.cid, b"", len(child.data)) for child in children)
    return Block.create(pb.encode(pb.PbNode(data, links)), codec=DAG_PB)


def stored(*blocks: Block) -> MemoryStore:
    store = MemoryStore()
    store.put_many(blocks)
    return store


def keys(*blocks: Block) -> set[bytes]:
    return {block.cid.multihash for block in blocks}


def test_a_recursive_pin_keeps_all_below_it() -> None:
    inner = parent(*LEAVES[:3])
    root = parent(inner, LEAVES[3], inner)
    marks = Marks(stored(root, inner).get)  # raw leaves are not read
    marks.add_pin(Pin(root.cid, recursive=True))
    assert marks.live.keys == keys(root, inner, *LEAVES[:4])


def test_a_direct_pin_keeps_one_block() -> None:
    root = parent(*LEAVES)
    marks = Marks(stored().get)
    marks.add_pin(Pin(root.cid, recursive=False))
    assert marks.live.keys == keys(root)


@pytest.mark.parametrize("broken", ["missing", "malformed"])
def test_a_pin_that_is_not_whole_is_named(broken: str) -> None:
    inner = Block.create(b"\xff\xff", codec=DAG_PB)
    root = parent(inner)
    marks = Marks((stored(root) if broken == "missing" else stored(root, inner)).get)
    with pytest.raises(BrokenPin, match=rf"{inner.cid}.*pin of {root.cid}.*{broken}"):
        marks.add_pin(Pin(root.cid, recursive=True))


def test_what_a_reader_still_waits_for_is_passed_over() -> None:
    inner, missing = parent(*LEAVES[:2]), parent(*LEAVES[2:])
    root = parent(missing, inner)
    marks = Marks(stored(root, inner).get)
    marks.add_present(root.cid)
    assert marks.live.keys == keys(root, inner, missing, *LEAVES[:2])


def test_a_codec_that_nobody_reads_is_a_leaf() -> None:
    odd = Block.create(b"git", codec=0x78)
    root = parent(odd)
    marks = Marks(stored(root, odd).get)
    marks.add_pin(Pin(root.cid, recursive=True))
    assert marks.live.keys == keys(root, odd)


def test_links_of_a_node_that_its_cid_spells_out_are_followed() -> None:
    inline = Block.create(
        pb.encode(pb.PbNode(None, (pb.Link(LEAVES[0].cid),))), codec=DAG_PB, hash_code=multihash.IDENTITY
    )
    root = parent(inline)
    marks = Marks(stored(root).get)
    marks.add_pin(Pin(root.cid, recursive=True))
    assert LEAVES[0].cid.multihash in marks.live.keys


def test_the_same_bytes_as_raw_do_not_hide_their_links() -> None:
    node = parent(LEAVES[0])
    as_raw = Block(Cid.v1(RAW, node.cid.multihash), node.data)
    marks = Marks(stored(node).get)
    marks.add_pin(Pin(as_raw.cid, recursive=True))
    assert marks.live.keys == keys(node)
    marks.add_pin(Pin(node.cid, recursive=True))
    assert marks.live.keys == keys(node, LEAVES[0])


def test_a_chain_of_any_depth() -> None:
    blocks = [LEAVES[0]]
    for _ in range(20_000):
        blocks.append(parent(blocks[-1]))
    marks = Marks(stored(*blocks).get)
    marks.add_pin(Pin(blocks[-1].cid, recursive=True))
    assert marks.live.keys == keys(*blocks)


cids = st.builds(
    lambda data, codec, code, version: (
        Block.create(
            data,
            codec=DAG_PB if version == 0 else codec,
            hash_code=multihash.SHA2_256 if version == 0 else code,
            version=version,
        ).cid
    ),
    st.binary(max_size=40),
    st.sampled_from([RAW, DAG_PB, DAG_JSON]),
    st.sampled_from([multihash.SHA2_256, multihash.IDENTITY, multihash.HASHES_BY_NAME["blake3"]]),
    st.sampled_from([0, 1]),
)
links = st.builds(
    pb.Link,
    cids,
    st.one_of(st.none(), st.just(b""), st.binary(max_size=200)),
    st.one_of(st.none(), st.integers(0, (1 << 64) - 1)),
)
file_links = st.builds(
    lambda data, size: pb.Link(Block.create(data).cid, b"", size),
    st.binary(max_size=8),
    st.integers(0, (1 << 64) - 1),
)


@given(
    st.one_of(st.lists(links, max_size=6), st.lists(file_links, max_size=30)),
    st.one_of(st.none(), st.binary(max_size=200)),
)
def test_the_fast_way_finds_the_links_that_decoding_finds(some: list[pb.Link], data: bytes | None) -> None:
    block = Block.create(pb.encode(pb.PbNode(data, tuple(some))), codec=DAG_PB)
    expected = [(link.cid.codec, link.cid.multihash) for link in some]
    assert list(targets(block.cid, block.data)) == expected
    leaves = raw_leaves(block.data)
    if leaves is not None:
        assert [(RAW, key) for key in leaves] == expected
    is_file_row = bool(some) and all(
        link.name == b""
        and link.size is not None
        and link.cid.codec == RAW
        and link.cid.multihash[:2] == b"\x12\x20"
        for link in some
    )
    assert (leaves is not None) == is_file_row


@given(st.binary(max_size=300))
def test_rubbish_is_malformed_or_has_links_and_nothing_else(data: bytes) -> None:
    cid = Block.create(data, codec=DAG_PB).cid
    try:
        found = list(targets(cid, data))
    except MalformedBlock:
        with pytest.raises(MalformedBlock):
            pb.decode(data)
    else:
        raw_leaves(data)
        assert all(isinstance(codec, int) for codec, _ in found)
