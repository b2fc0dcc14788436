"""Modes and times of last change, as Kubo keeps them; tests/vectors says what it was given."""

from __future__ import annotations

from typing import Any

import pytest

from peershelf.blockstore.block import Block
from peershelf.blockstore.dag import pb
from peershelf.blockstore.errors import InvalidImportOption
from peershelf.blockstore.unixfs import message
from peershelf.blockstore.unixfs.importer import Imported, Importer
from peershelf.blockstore.unixfs.message import Data, DataType, Mtime
from peershelf.blockstore.unixfs.metadata import NONE, Metadata, with_metadata
from peershelf.blockstore.unixfs.profiles import DEFAULT_PROFILE, PROFILES, with_options
from peershelf.blockstore.unixfs.tree import TreeImporter

BIG = bytes(1_500_000)


def import_file(data: bytes, profile: Any, metadata: Metadata, sink: Any = lambda _: None) -> Imported:
    with Importer(sink, profile, metadata=metadata) as importer:
        importer.write(data)
        return importer.finish()


def test_trees_with_metadata_get_the_cids_that_kubo_gives_them(vectors: Any) -> None:
    kubo = vectors("kubo_metadata.json")
    assert len(kubo["trees"]) == 8
    for tree in kubo["trees"]:
        assert build(kubo["entries"], tree) == tree["cids"], tree


def build(entries: Any, tree: Any) -> dict[str, str]:
    profile = PROFILES[tree["profile"]]
    importer = TreeImporter(lambda _: None, profile)
    made: dict[str, Imported] = {}
    for entry in entries:
        path = tuple(name.encode() for name in entry["path"].split("/") if name)
        metadata = Metadata(
            int(entry["mode"], 8) if tree["mode"] else None,
            Mtime.of(entry["mtime"]) if tree["mtime"] else None,
        )
        content = entry["content"].encode() if "content" in entry else BIG
        match entry["kind"]:
            case "directory":
                importer.add_directory(path, metadata)
            case "symlink":
                made[entry["path"]] = importer.add_symlink(path, content, metadata)
            case "file":
                made[entry["path"]] = import_file(content, profile, metadata)
                importer.add_file(path, made[entry["path"]])
    made |= {b"/".join(path).decode(): imported for path, imported in importer.finish()}
    return {path: str(imported.cid) for path, imported in made.items()}


@pytest.mark.parametrize("size", [0, 10, 16, 17, 300])
def test_a_files_metadata_is_in_its_root_alone(size: int, some_bytes: Any) -> None:
    small = with_options(DEFAULT_PROFILE, chunk_size=16, max_links=3, raw_leaves=False)
    plain: list[Block] = []
    import_file(some_bytes(size), small, NONE, plain.extend)
    blocks: list[Block] = []
    metadata = Metadata(0o640, Mtime(5, 7))
    imported = import_file(some_bytes(size), with_options(small, raw_leaves=True), metadata, blocks.extend)
    assert blocks[:-1] == plain[:-1]
    assert blocks[-1].cid == imported.cid
    root = pb.decode(blocks[-1].data)
    assert root.data is not None
    content = message.decode(root.data)
    assert (content.mode, content.mtime) == (0o640, Mtime(5, 7))
    assert imported.dag_size == sum(len(block.data) for block in blocks)


@pytest.mark.parametrize(
    ("nanoseconds", "mtime"),
    [
        (0, Mtime(0)),
        (1, Mtime(0, 1)),
        (1_500_000_000, Mtime(1, 500_000_000)),
        (-1, Mtime(-1, 999_999_999)),
        (-1_000_000_000, Mtime(-1)),
    ],
)
def test_times_of_the_file_system_are_whole_seconds_and_a_rest_that_is_not_negative(
    nanoseconds: int, mtime: Mtime
) -> None:
    assert Mtime.of(nanoseconds) == mtime


def test_the_first_second_of_the_year_one_is_no_time() -> None:
    directory = Data(DataType.DIRECTORY)
    assert with_metadata(directory, Metadata(mtime=Mtime(-62_135_596_800, 0))) == directory
    assert with_metadata(directory, Metadata(mtime=Mtime(-62_135_596_800, 1))) != directory


@pytest.mark.parametrize(
    ("mode", "mtime"),
    [
        (-1, None),
        (0o10000, None),
        (None, Mtime(1 << 63)),
        (None, Mtime(-(1 << 63) - 1)),
        (None, Mtime(0, -1)),
        (None, Mtime(0, 1_000_000_000)),
    ],
)
def test_impossible_metadata_is_refused(mode: int | None, mtime: Mtime | None) -> None:
    with pytest.raises(InvalidImportOption):
        Metadata(mode, mtime)


def test_only_what_keeps_nothing_is_false() -> None:
    assert not Metadata()
    assert Metadata(mode=0)
    assert Metadata(mtime=Mtime(0))
