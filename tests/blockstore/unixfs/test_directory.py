"""When a directory is one node and when it is sharded, and the shards that Kubo makes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from peershelf.blockstore.block import MAX_BLOCK_SIZE, Block
from peershelf.blockstore.dag import pb
from peershelf.blockstore.errors import InvalidImportOption
from peershelf.blockstore.unixfs import hamt, message, shards
from peershelf.blockstore.unixfs.importer import Imported
from peershelf.blockstore.unixfs.message import Data, DataType
from peershelf.blockstore.unixfs.metadata import NONE, Metadata
from peershelf.blockstore.unixfs.profiles import UNIXFS_V0_2015, UNIXFS_V1_2025, Estimation, Profile
from peershelf.blockstore.unixfs.tree import TreeImporter

FILE = Imported(Block.create(b"x").cid, 1, 1, 1)


def write(profile: Profile, names: Iterable[bytes], metadata: Metadata = NONE) -> list[Block]:
    """Return the blocks of a directory of files, its root last."""
    blocks: list[Block] = []
    tree = TreeImporter(blocks.extend, profile)
    tree.add_directory((), metadata)
    for name in names:
        tree.add_file((name,), FILE)
    list(tree.finish())
    return blocks


def content(block: Block) -> Data:
    data = pb.decode(block.data).data
    assert data is not None
    return message.decode(data)


def is_sharded(blocks: list[Block]) -> bool:
    return content(blocks[-1]).type == DataType.HAMT


def numbered(count: int) -> list[bytes]:
    return [b"%d" % number for number in range(count)]


@pytest.mark.parametrize("name", ["basic", "hamt-8", "hamt-256"])
def test_kubos_directories_are_made_byte_for_byte(name: str, shelf: Any, vectors: Any) -> None:
    kubo = vectors("kubo_directories.json")["directories"][name]
    files = {"z": b"basic z", "größe.txt": "basic größe.txt".encode(), "a.txt": b"basic a.txt"}
    profile = UNIXFS_V1_2025
    if name != "basic":
        files = {f"file-{number:02}.txt": f"content {number}".encode() for number in range(40)}
        files["größe.txt"] = "groß".encode()
        fanout = int(name.removeprefix("hamt-"))
        profile = replace(UNIXFS_V1_2025, directory_threshold=1, hamt_fanout=fanout)
    tree = TreeImporter(lambda blocks: shelf.put(*blocks), profile)
    for file, data in files.items():
        tree.add_file((file.encode(),), shelf.add(data))
    if name == "basic":
        tree.add_symlink((b"link",), b"a.txt")
        tree.add_file((b"sub", b"deep.txt"), shelf.add(b"deep"))
    *_, (_, root) = tree.finish()
    assert str(root.cid) == kubo["root"]
    assert {str(cid) for cid in shelf.blocks} == set(kubo["blocks"])


@pytest.mark.parametrize("metadata", [NONE, Metadata(mode=0o755)], ids=["bare", "with a mode"])
def test_a_directory_of_exactly_the_threshold_is_one_node(metadata: Metadata) -> None:
    [block] = write(UNIXFS_V1_2025, numbered(50), metadata)
    at = replace(UNIXFS_V1_2025, directory_threshold=len(block.data))
    assert write(at, numbered(50), metadata) == [block]
    below = replace(UNIXFS_V1_2025, directory_threshold=len(block.data) - 1)
    assert is_sharded(write(below, numbered(50), metadata))


def test_a_directory_measured_by_its_links_leaves_all_else_out() -> None:
    names = numbered(50)
    size = sum(map(len, names)) + 50 * 36
    at = replace(UNIXFS_V0_2015, directory_threshold=size)
    assert not is_sharded(write(at, names, Metadata(mode=0o755)))
    below = replace(UNIXFS_V0_2015, directory_threshold=size - 1)
    assert is_sharded(write(below, names))


@pytest.mark.parametrize("estimation", Estimation)
def test_a_directory_of_too_many_links_is_sharded_whatever_its_size(estimation: Estimation) -> None:
    profile = replace(UNIXFS_V1_2025, max_directory_links=10, directory_estimation=estimation)
    assert not is_sharded(write(profile, numbered(10)))
    assert is_sharded(write(profile, numbered(11)))


@pytest.mark.parametrize("estimation", Estimation)
def test_no_directory_is_a_node_that_no_block_holds(estimation: Estimation) -> None:
    profile = replace(UNIXFS_V1_2025, directory_estimation=estimation, directory_threshold=1 << 40)
    names = [b"%0200d" % number for number in range(9000)]
    [block] = write(profile, names[:8000])
    assert len(block.data) < MAX_BLOCK_SIZE
    assert is_sharded(write(profile, names))


def test_the_empty_directory_is_never_sharded() -> None:
    assert not is_sharded(write(replace(UNIXFS_V1_2025, directory_threshold=1), []))


def test_metadata_is_in_the_root_shard_alone() -> None:
    profile = replace(UNIXFS_V1_2025, directory_threshold=1, hamt_fanout=8)
    *inner, root = write(profile, numbered(200), Metadata(mode=0o700))
    assert inner == write(profile, numbered(200))[:-1]
    assert content(root).mode == 0o700


@pytest.mark.parametrize("fanout", [8, 16, 32, 64, 128, 256, 512, 1024])
def test_shards_tell_their_filled_slots_in_as_few_bytes_as_can_be(fanout: int) -> None:
    profile = replace(UNIXFS_V1_2025, directory_threshold=1, hamt_fanout=fanout)
    for block in write(profile, numbered(300)):
        shard = content(block)
        assert (shard.hash_type, shard.fanout) == (0x22, fanout)
        assert shard.data
        assert shard.data[0] != 0
        digits = len(f"{fanout - 1:X}")
        slots = [int((link.name or b"")[:digits], 16) for link in pb.decode(block.data).links]
        assert slots == sorted(set(slots))
        assert sum(1 << slot for slot in slots) == int.from_bytes(shard.data, "big")


def test_shards_go_as_deep_as_hashes_are_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    profile = replace(UNIXFS_V1_2025, directory_threshold=1, hamt_fanout=8)
    hashes = {b"a": 0b0010, b"b": 0b1000}
    monkeypatch.setattr(shards, "murmur3_64", hashes.__getitem__)
    assert len(write(profile, [b"a", b"b"])) == hamt.levels(8) == 21


@pytest.mark.parametrize(("fanout", "bits"), [(8, 63), (256, 64), (1024, 60)])
def test_names_whose_hashes_are_too_alike_are_refused(
    monkeypatch: pytest.MonkeyPatch, fanout: int, bits: int
) -> None:
    profile = replace(UNIXFS_V1_2025, directory_threshold=1, hamt_fanout=fanout)
    hashes = {b"a": 0, b"b": (1 << 64 - bits) - 1}
    monkeypatch.setattr(shards, "murmur3_64", hashes.__getitem__)
    with pytest.raises(InvalidImportOption, match="--max-hamt-fanout"):
        write(profile, [b"a", b"b"])
