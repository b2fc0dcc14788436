from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import DAG_PB, Cid
from peershelf.blockstore.dag import pb
from peershelf.blockstore.dag.traversal import Traversal
from peershelf.blockstore.errors import BlockNotFound, BlockstoreError, MalformedBlock, NotUnixfs
from peershelf.blockstore.unixfs import hamt, message, tree_guide
from peershelf.blockstore.unixfs.entries import Entry
from peershelf.blockstore.unixfs.importer import Imported
from peershelf.blockstore.unixfs.message import Data, DataType
from peershelf.blockstore.unixfs.murmur3 import murmur3_64
from peershelf.blockstore.unixfs.profiles import DEFAULT_PROFILE, with_options
from peershelf.blockstore.unixfs.tree import TreeImporter
from peershelf.blockstore.unixfs.tree_guide import OneDirectory, Role, TreeStep

LEAF = Block.create(b"x")
MURMUR3 = 0x22


BUDGET = 8 << 20


def listing_of(root: Cid) -> Traversal[TreeStep]:
    return Traversal([tree_guide.root(root)], OneDirectory(), unique=False)


def known(listing: Traversal[TreeStep]) -> list[Entry]:
    """The entries that can be told by now."""
    return [
        Entry(visit.step.name, visit.cid, visit.step.size)
        for visit in listing.read()
        if visit.step.role is Role.ENTRY
    ]


def entries(shelf: Any, root: Cid) -> list[Entry]:
    listing = listing_of(root)
    found: list[Entry] = []
    while not listing.done:
        found += known(listing)
        wanted = listing.wants(BUDGET)
        shelf.fetched += wanted
        for cid in reversed(wanted):
            if cid in shelf.blocks:
                listing.receive(shelf.blocks[cid])
            else:
                listing.fail(cid, BlockNotFound(str(cid)))
    return found


def node(content: Data, *links: tuple[bytes, Cid]) -> Block:
    entries = tuple(pb.Link(cid, name) for name, cid in links)
    return Block.create(pb.encode(pb.PbNode(message.encode(content), entries)), codec=DAG_PB)


def shard(*links: tuple[bytes, Cid], fanout: int = 256, filled: int | None = None) -> Block:
    """A HAMT node whose bits are those of its links, unless told otherwise."""
    if filled is None:
        filled = sum(1 << int(name[: hamt.width(fanout)], 16) for name, _ in links)
    bits = filled.to_bytes((filled.bit_length() + 7) // 8, "big")
    return node(Data(DataType.HAMT, bits, hash_type=MURMUR3, fanout=fanout), *links)


def placed(name: bytes, depth: int = 0) -> bytes:
    """The name of an entry's link in a shard at that depth."""
    return b"%02X" % (murmur3_64(name) >> 56 - 8 * depth & 255) + name


@pytest.mark.parametrize("name", ["hamt-8", "hamt-256"])
def test_every_entry_of_kubos_hamts_is_listed(shelf: Any, directory: Callable[[str], Cid], name: str) -> None:
    names = {entry.name for entry in entries(shelf, directory(name))}
    assert names >= {b"file-%02d.txt" % number for number in range(40)} | {"größe.txt".encode()}


def test_the_entries_of_kubos_basic_directory_are_listed_in_its_order(
    shelf: Any, directory: Callable[[str], Cid]
) -> None:
    listed = entries(shelf, directory("basic"))
    assert [entry.name for entry in listed] == sorted(entry.name for entry in listed)
    assert {b"a.txt", b"sub", "größe.txt".encode()} <= {entry.name for entry in listed}


@given(
    st.sets(st.binary(min_size=1, max_size=6), max_size=60), st.sampled_from([8, 256, 1024]), st.booleans()
)
def test_a_directory_lists_what_was_entered(
    make_shelf: Callable[[], Any], names: set[bytes], fanout: int, sharded: bool
) -> None:
    wanted = {name for name in names if name not in (b".", b"..") and not {0, ord("/")} & set(name)}
    shelf = make_shelf()
    profile = with_options(DEFAULT_PROFILE, hamt_fanout=fanout, max_directory_links=int(sharded))
    importer = TreeImporter(lambda blocks: shelf.put(*blocks), profile)
    for name in wanted:
        importer.add_file((name,), Imported(LEAF.cid, 1, 1, 1))
    *_, (_, root) = importer.finish()
    listed = entries(shelf, root.cid)
    assert {entry.name for entry in listed} == wanted
    assert len(listed) == len(wanted)
    assert all(entry.cid == LEAF.cid and entry.size == 1 for entry in listed)


def test_shards_are_asked_for_together(shelf: Any) -> None:
    names = [b"%d" % number for number in range(3000)]
    profile = with_options(DEFAULT_PROFILE, max_directory_links=1)
    importer = TreeImporter(lambda blocks: shelf.put(*blocks), profile)
    for name in names:
        importer.add_file((name,), Imported(LEAF.cid, 1, 1, 1))
    *_, (_, root) = importer.finish()
    listing = listing_of(root.cid)
    rounds = 0
    while not listing.done:
        known(listing)
        rounds += bool(wanted := listing.wants(BUDGET))
        for cid in wanted:
            listing.receive(shelf.blocks[cid])
    assert rounds <= 4


def test_a_file_lists_its_parts_without_names(shelf: Any, some_bytes: Callable[[int], bytes]) -> None:
    profile = with_options(DEFAULT_PROFILE, chunk_size=1000)
    listed = entries(shelf, shelf.add(some_bytes(2500), profile).cid)
    assert [(entry.name, entry.size) for entry in listed] == [(b"", 1000), (b"", 1000), (b"", 500)]
    assert entries(shelf, shelf.add(b"small").cid) == []


def test_a_missing_shard_is_an_error_after_the_entries_before_it(shelf: Any) -> None:
    missing = shard((placed(b"a"), LEAF.cid))
    first = min(placed(b"%d" % number) for number in range(100))
    root = shard((first, LEAF.cid), (b"FE", missing.cid))
    shelf.put(root)
    listing = listing_of(root.cid)
    known(listing)
    listing.wants(BUDGET)
    listing.receive(root)
    assert [entry.name for entry in known(listing)] == [first[2:]]
    assert listing.wants(BUDGET) == [missing.cid]
    listing.fail(missing.cid, BlockNotFound("gone"))
    with pytest.raises(BlockNotFound, match="gone"):
        known(listing)


@pytest.mark.parametrize(
    "block",
    [
        Block.create(pb.encode(pb.PbNode(None, (pb.Link(LEAF.cid, b"a"),))), codec=DAG_PB),
        node(Data(DataType.METADATA)),
        Block.create(b"\xa0", codec=0x71),
    ],
    ids=["no UnixFS", "metadata", "dag-cbor"],
)
def test_what_is_no_directory_cannot_be_listed(shelf: Any, block: Block) -> None:
    shelf.put(block)
    with pytest.raises(NotUnixfs):
        entries(shelf, block.cid)


A = (placed(b"a"), LEAF.cid)
DEEP = shard((placed(b"b", 1), LEAF.cid))

HOSTILE: dict[str, tuple[Block, ...]] = {
    "fan-out 0": (shard(A, fanout=0),),
    "fan-out 7": (shard(A, fanout=7),),
    "fan-out 2^32": (shard(A, fanout=1 << 32),),
    "another hash": (node(Data(DataType.HAMT, b"\1", hash_type=0x12, fanout=256), A),),
    "no bits": (shard(A, filled=0),),
    "a bit too many": (shard(A, filled=(1 << int(A[0][:2], 16)) | 1 << 255 | 1),),
    "bits beyond the slots": (shard(A, filled=1 << 4000),),
    "a name shorter than the prefix": (shard((b"A", LEAF.cid), filled=1 << 10),),
    "no name": (shard((b"", LEAF.cid), filled=1),),
    "no hexadecimal prefix": (shard((b"ZZa", LEAF.cid), filled=1),),
    "a signed prefix": (shard((b"+1a", LEAF.cid), filled=2),),
    "a lower-case prefix": (shard((b"aba", LEAF.cid), filled=1 << 0xAB),),
    "a blank in the prefix": (shard((b" 1a", LEAF.cid), filled=2),),
    "a slot twice": (shard(A, A, filled=1 << int(A[0][:2], 16)),),
    "slots out of order": (shard((b"05", DEEP.cid), (b"04", DEEP.cid)), DEEP),
    "an entry in the wrong slot": (shard((b"%02Xa" % (int(A[0][:2], 16) ^ 1), LEAF.cid)),),
    "an entry in the wrong shard": (
        shard((b"%02X" % (murmur3_64(b"b") >> 56 ^ 1), DEEP.cid)),
        DEEP,
    ),
    "a directory for a shard": (
        shard((b"00", node(Data(DataType.DIRECTORY)).cid)),
        node(Data(DataType.DIRECTORY)),
    ),
    "bytes for a shard": (shard((b"00", LEAF.cid)), LEAF),
    "another fan-out below": (shard((b"00", shard(fanout=512).cid)), shard(fanout=512)),
    "two entries of one name": (node(Data(DataType.DIRECTORY), (b"a\nb", LEAF.cid), (b"a\nb", DEEP.cid)),),
}


@pytest.mark.parametrize("blocks", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_directory_that_contradicts_itself_is_malformed(shelf: Any, blocks: Sequence[Block]) -> None:
    shelf.put(*blocks)
    with pytest.raises(MalformedBlock, match=r"^malformed directory") as caught:
        entries(shelf, blocks[0].cid)
    assert str(caught.value).isprintable()


def test_shards_of_two_hundred_levels_end(shelf: Any) -> None:
    block = shard()
    shelf.put(block)
    for _ in range(200):
        block = shard((b"00", block.cid))
        shelf.put(block)
    with pytest.raises(MalformedBlock, match="too deep"):
        entries(shelf, block.cid)
    assert len(shelf.fetched) <= hamt.levels(256) + 1


def test_shards_without_entries_are_not_visited_in_all_ways_that_lead_to_them(shelf: Any) -> None:
    block = shard(fanout=1024)
    shelf.put(block)
    for _ in range(hamt.levels(1024) - 1):
        block = shard(*((b"%03X" % slot, block.cid) for slot in range(1024)), fanout=1024)
        shelf.put(block)
    with pytest.raises(MalformedBlock, match="empty"):
        entries(shelf, block.cid)


def test_entries_are_not_listed_in_all_ways_that_lead_to_them(shelf: Any) -> None:
    shift = hamt.shift(256, hamt.levels(256) - 1)
    name = b"a"
    block = shard((b"%02X" % (murmur3_64(name) >> shift & 255) + name, LEAF.cid))
    shelf.put(block)
    for _ in range(hamt.levels(256) - 1):
        block = shard(*((b"%02X" % slot, block.cid) for slot in range(256)))
        shelf.put(block)
    with pytest.raises(MalformedBlock, match="wrong shard"):
        entries(shelf, block.cid)
    assert len(shelf.fetched) <= hamt.levels(256)


@given(
    st.binary(max_size=300) | st.lists(st.tuples(st.binary(max_size=4), st.just(LEAF.cid))),
    st.binary(max_size=40),
)
def test_only_known_errors_come_of_any_bytes(
    make_shelf: Callable[[], Any], content: bytes | list[tuple[bytes, Cid]], bits: bytes
) -> None:
    if isinstance(content, bytes):
        block = Block.create(content, codec=DAG_PB)
    else:
        block = node(Data(DataType.HAMT, bits, hash_type=MURMUR3, fanout=256), *content)
    shelf = make_shelf()
    shelf.put(block, LEAF)
    with suppress(BlockstoreError):
        entries(shelf, block.cid)
