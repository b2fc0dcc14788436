from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import DAG_PB, Cid
from peershelf.blockstore.dag import pb
from peershelf.blockstore.dag.traversal import Traversal
from peershelf.blockstore.errors import BlockstoreError, MalformedBlock, UnsafeEntry
from peershelf.blockstore.unixfs import message, tree_guide
from peershelf.blockstore.unixfs.importer import Importer
from peershelf.blockstore.unixfs.message import Data, DataType, Mtime
from peershelf.blockstore.unixfs.metadata import Metadata
from peershelf.blockstore.unixfs.node_info import Kind
from peershelf.blockstore.unixfs.profiles import PROFILES, Profile, with_options
from peershelf.blockstore.unixfs.tree import TreeImporter
from peershelf.blockstore.unixfs.tree_guide import WholeTree
from peershelf.blockstore.unixfs.tree_reader import Found, Path, TreeReader

Tree = dict[Path, bytes | Kind | None]
"""Bytes of files, None for directories, SYMLINK for links."""

LEAF = Block.create(b"x")

names = st.binary(min_size=1, max_size=3).filter(
    lambda name: name not in (b".", b"..") and not {0, ord("/")} & set(name)
)
contents = st.binary(max_size=40) | st.just(b"same") | st.none() | st.just(Kind.SYMLINK)
profiles = st.builds(
    with_options,
    st.sampled_from(list(PROFILES.values())),
    chunk_size=st.integers(1, 9),
    max_links=st.integers(2, 4),
    max_directory_links=st.integers(0, 2),
    hamt_fanout=st.sampled_from([8, 256]),
)


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    tree: Tree = {(): None}
    paths = st.lists(names, min_size=1, max_size=4).map(tuple)
    for path, content in draw(st.dictionaries(paths, contents, max_size=20)).items():
        above = [path[:depth] for depth in range(1, len(path))]
        if path not in tree and all(tree.get(one) is None for one in above):
            tree |= dict.fromkeys(above)
            tree[path] = content
    return tree


def build(shelf: Any, tree: Tree, profile: Profile) -> Cid:
    def sink(blocks: Sequence[Block]) -> None:
        shelf.put(*blocks)

    importer = TreeImporter(sink, profile)
    for path, content in tree.items():
        if content is None:
            importer.add_directory(path)
        elif isinstance(content, bytes):
            with Importer(sink, profile) as file:
                file.write(content)
                importer.add_file(path, file.finish())
        else:
            importer.add_symlink(path, b"target")
    *_, (_, root) = importer.finish()
    return root.cid


def read(shelf: Any, root: Cid, *, seed: int | None = None) -> list[tuple[Found, bytes]]:
    """What a tree holds, in order, with the bytes of files."""
    walk = Traversal([tree_guide.root(root)], WholeTree(), unique=False)
    reader = TreeReader()
    found: list[tuple[Found, bytes]] = []
    wanted: list[Cid] = []
    random = Random(seed)
    while not walk.done:
        for visit in (visits := walk.read()):
            begun, data = reader.take(visit)
            if begun is not None:
                found.append((begun, b""))
            if data:
                found[-1] = (found[-1][0], found[-1][1] + data)
        wanted += walk.wants(1 << 20)
        if not visits and walk.is_waiting:
            walk.receive(shelf.blocks[wanted.pop(0 if seed is None else random.randrange(len(wanted)))])
    return found


@given(trees(), profiles, st.integers(0, 99))
def test_a_tree_is_read_back_directories_first(
    make_shelf: Callable[[], Any], tree: Tree, profile: Profile, seed: int
) -> None:
    shelf = make_shelf()
    found = read(shelf, build(shelf, tree, profile), seed=seed)
    kinds = {Kind.DIRECTORY: None, Kind.SYMLINK: Kind.SYMLINK}
    assert {one.path: kinds.get(one.info.kind, data) for one, data in found} == tree
    assert len(found) == len(tree)
    assert all(one.info.size == len(data) for one, data in found if one.info.kind is Kind.FILE)
    before: set[Path] = set()
    for one, _ in found:
        assert not one.path or one.path[:-1] in before
        before.add(one.path)


def test_modes_times_and_targets_are_told(shelf: Any) -> None:
    importer = TreeImporter(lambda blocks: shelf.put(*blocks), PROFILES["unixfs-v1-2025"])
    importer.add_directory((), Metadata(0o1750, Mtime(5)))
    importer.add_symlink((b"link",), b"/etc/passwd", Metadata(None, Mtime(-7, 9)))
    *_, (_, root) = importer.finish()
    (directory, _), (link, _) = read(shelf, root.cid)
    assert (directory.info.mode, directory.info.mtime) == (0o1750, Mtime(5))
    assert (link.info.target, link.info.mtime, link.info.size) == (b"/etc/passwd", Mtime(-7, 9), 11)


def test_a_file_by_itself_is_a_tree(shelf: Any) -> None:
    profile = with_options(PROFILES["unixfs-v0-2015"], chunk_size=1000, max_links=2)
    ((found, data),) = read(shelf, shelf.add(b"abc" * 3000, profile).cid)
    assert (found.path, found.info.kind, found.info.size, data) == ((), Kind.FILE, 9000, b"abc" * 3000)


def directory(*links: tuple[bytes, Cid]) -> Block:
    return node(Data(DataType.DIRECTORY), *links)


def node(content: Data, *links: tuple[bytes, Cid]) -> Block:
    listed = tuple(pb.Link(cid, name) for name, cid in links)
    return Block.create(pb.encode(pb.PbNode(message.encode(content), listed)), codec=DAG_PB)


@pytest.mark.parametrize(
    "name",
    [b"..", b".", b"", b"a/b", b"/etc/passwd", b"../x", b"a\0b", b"n" * 256, b"\x1b[2J/\n"],
)
def test_a_name_that_no_file_may_have_is_refused(shelf: Any, name: bytes) -> None:
    root = directory((name, LEAF.cid))
    shelf.put(root, LEAF)
    with pytest.raises(UnsafeEntry, match=r"^refused: ") as caught:
        read(shelf, root.cid)
    assert str(caught.value).isascii()
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("target", [None, b"", b"a\0b", b"x" * 5000])
def test_a_link_that_leads_nowhere_is_refused(shelf: Any, target: bytes | None) -> None:
    link = node(Data(DataType.SYMLINK, target))
    root = directory((b"a", link.cid))
    shelf.put(root, link)
    with pytest.raises(UnsafeEntry, match="'a'"):
        read(shelf, root.cid)


def test_two_entries_of_one_name_are_refused(shelf: Any) -> None:
    link = node(Data(DataType.SYMLINK, b"/tmp"))
    root = directory((b"a", link.cid), (b"a", directory((b"b", LEAF.cid)).cid))
    shelf.put(root, link, directory((b"b", LEAF.cid)), LEAF)
    with pytest.raises(MalformedBlock, match="two entries are named 'a'"):
        read(shelf, root.cid)


def test_directories_in_twenty_thousand_levels_end(shelf: Any) -> None:
    block = directory()
    shelf.put(block)
    for _ in range(20_000):
        block = directory((b"d", block.cid))
        shelf.put(block)
    with pytest.raises(UnsafeEntry, match="'d' has a path longer"):
        read(shelf, block.cid)


def test_files_of_empty_parts_in_two_to_the_power_of_thirty_ways_end(shelf: Any) -> None:
    block = node(Data(DataType.FILE, filesize=0))
    shelf.put(block)
    for _ in range(30):
        block = node(Data(DataType.FILE, filesize=0, blocksizes=(0, 0)), (b"", block.cid), (b"", block.cid))
        shelf.put(block)
    ((found, data),) = read(shelf, block.cid)
    assert (found.info.size, data) == (0, b"")


@pytest.mark.parametrize("size", [1 << 50, (1 << 64) - 1])
def test_a_size_that_the_parts_do_not_have_is_malformed(shelf: Any, size: int) -> None:
    root = node(Data(DataType.FILE, filesize=size, blocksizes=(size,)), (b"", LEAF.cid))
    shelf.put(root, LEAF)
    with pytest.raises(MalformedBlock, match="not as long as its parent says"):
        read(shelf, root.cid)


def test_parts_in_seventy_levels_are_malformed(shelf: Any) -> None:
    block = LEAF
    shelf.put(block)
    for _ in range(70):
        block = node(Data(DataType.FILE, filesize=1, blocksizes=(1,)), (b"", block.cid))
        shelf.put(block)
    with pytest.raises(MalformedBlock, match="deeper than"):
        read(shelf, block.cid)


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_only_known_errors_come_of_any_bytes(
    make_shelf: Callable[[], Any], first: bytes, second: bytes
) -> None:
    shelf = make_shelf()
    child = Block.create(second, codec=DAG_PB)
    for root in (Block.create(first, codec=DAG_PB), directory((first, child.cid))):
        shelf.put(root, child)
        with suppress(BlockstoreError, KeyError):  # links may lead to blocks that nobody has
            read(shelf, root.cid)
