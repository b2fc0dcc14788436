from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import DAG_PB, Cid
from peershelf.blockstore.dag import pb
from peershelf.blockstore.errors import BlockstoreError, MalformedBlock, PathNotFound
from peershelf.blockstore.multihash import IDENTITY
from peershelf.blockstore.unixfs import hamt, message
from peershelf.blockstore.unixfs.exporter import FileReader
from peershelf.blockstore.unixfs.message import Data, DataType
from peershelf.blockstore.unixfs.resolve import PathResolver

LEAF = Block.create(b"x")
MURMUR3 = 0x22


def resolve(shelf: Any, root: Cid, *names: str) -> Cid:
    resolver = PathResolver(root, names)
    while (wanted := resolver.wanted) is not None:
        assert resolver.result is None
        shelf.fetched.append(wanted)
        resolver.receive(shelf.blocks[wanted])
    assert resolver.result is not None
    return resolver.result


def node(content: Data, *links: tuple[bytes, Cid], hash_code: int = 0x12) -> Block:
    entries = tuple(pb.Link(cid, name) for name, cid in links)
    return Block.create(
        pb.encode(pb.PbNode(message.encode(content), entries)), codec=DAG_PB, hash_code=hash_code
    )


def test_no_names_lead_to_the_root_without_a_block(shelf: Any) -> None:
    assert resolve(shelf, LEAF.cid) == LEAF.cid


@pytest.mark.parametrize(
    ("path", "content"),
    [("a.txt", b"basic a.txt"), ("größe.txt", "basic größe.txt".encode()), ("sub/deep.txt", b"deep")],
)
def test_paths_through_kubos_directories_are_followed(
    shelf: Any, directory: Callable[[str], Cid], path: str, content: bytes
) -> None:
    assert shelf.read(FileReader(resolve(shelf, directory("basic"), *path.split("/")))) == content


@pytest.mark.parametrize("name", ["hamt-8", "hamt-256"])
def test_every_entry_of_kubos_hamts_is_found(shelf: Any, directory: Callable[[str], Cid], name: str) -> None:
    root = directory(name)
    for number in range(40):
        cid = resolve(shelf, root, f"file-{number:02}.txt")
        assert shelf.read(FileReader(cid)) == f"content {number}".encode()
    assert shelf.read(FileReader(resolve(shelf, root, "größe.txt"))) == "groß".encode()


@pytest.mark.parametrize("name", ["basic", "hamt-8", "hamt-256"])
def test_a_missing_entry_is_named(shelf: Any, directory: Callable[[str], Cid], name: str) -> None:
    for missing in ("nothing", "A.TXT", "a", "0", "00", "00file"):
        with pytest.raises(PathNotFound, match=f"no link named '{missing}' under baf"):
            resolve(shelf, directory(name), missing)


def test_files_and_links_have_no_entries(shelf: Any, directory: Callable[[str], Cid]) -> None:
    for path in (("a.txt", "x"), ("link", "x")):
        with pytest.raises(PathNotFound, match="'x'"):
            resolve(shelf, directory("basic"), *path)


def test_names_are_compared_as_bytes(shelf: Any) -> None:
    root = node(Data(DataType.DIRECTORY), (b"\xff", LEAF.cid), ("é".encode(), LEAF.cid))
    shelf.put(root)
    assert resolve(shelf, root.cid, "\udcff") == LEAF.cid
    assert resolve(shelf, root.cid, "é") == LEAF.cid
    with pytest.raises(PathNotFound):
        resolve(shelf, root.cid, "e\u0301")


def test_blocks_that_were_not_wanted_change_nothing(shelf: Any) -> None:
    root = node(Data(DataType.DIRECTORY), (b"a", LEAF.cid))
    resolver = PathResolver(root.cid, ["a"])
    resolver.receive(LEAF)
    assert resolver.wanted == root.cid


def test_directories_spelled_out_in_their_cid_are_not_asked_for(shelf: Any) -> None:
    tiny = Block.create(b"tiny", hash_code=IDENTITY)
    root = node(Data(DataType.DIRECTORY), (b"a", tiny.cid), hash_code=IDENTITY)
    assert resolve(shelf, root.cid, "a") == tiny.cid
    assert shelf.fetched == []


@pytest.mark.parametrize(
    "content",
    [
        Data(DataType.HAMT),
        Data(DataType.HAMT, hash_type=MURMUR3),
        Data(DataType.HAMT, hash_type=0x12, fanout=256),
        Data(DataType.HAMT, hash_type=MURMUR3, fanout=0),
        Data(DataType.HAMT, hash_type=MURMUR3, fanout=100),
        Data(DataType.HAMT, hash_type=MURMUR3, fanout=2048),
        Data(DataType.HAMT, hash_type=MURMUR3, fanout=1 << 63),
    ],
)
def test_shards_that_we_cannot_read_are_malformed(shelf: Any, content: Data) -> None:
    root = node(content)
    shelf.put(root)
    with pytest.raises(MalformedBlock):
        resolve(shelf, root.cid, "a")


def all_slots(child: Cid, fanout: int = 256) -> Block:
    shard = Data(DataType.HAMT, hash_type=MURMUR3, fanout=fanout)
    return node(shard, *((hamt.slot_name(slot, fanout), child) for slot in range(fanout)))


@pytest.mark.parametrize(("fanout", "levels"), [(8, 21), (256, 8), (1024, 6)])
def test_shards_deeper_than_the_hash_are_malformed(shelf: Any, fanout: int, levels: int) -> None:
    shard = all_slots(LEAF.cid, fanout)
    for _ in range(200):
        shelf.put(shard)
        shard = all_slots(shard.cid, fanout)
    shelf.put(shard)
    with pytest.raises(MalformedBlock, match="too deep"):
        resolve(shelf, shard.cid, "a")
    assert len(shelf.fetched) == levels + 1


def test_a_shard_leads_to_shards_only(shelf: Any) -> None:
    inner = node(Data(DataType.DIRECTORY), (b"a", LEAF.cid))
    root = all_slots(inner.cid)
    shelf.put(root, inner)
    with pytest.raises(MalformedBlock, match="not a HAMT shard"):
        resolve(shelf, root.cid, "a")


@given(st.binary(max_size=60), st.text(min_size=1, max_size=5))
def test_arbitrary_blocks_raise_nothing_but_our_own(data: bytes, name: str) -> None:
    block = Block.create(data, codec=DAG_PB)
    with suppress(BlockstoreError):
        PathResolver(block.cid, [name]).receive(block)
