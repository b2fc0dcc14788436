from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import RAW, Cid
from peershelf.blockstore.dag import pb
from peershelf.blockstore.dag.links import links
from peershelf.blockstore.errors import InvalidImportOption, InvalidPath, PathNotFound, StoreFull
from peershelf.blockstore.unixfs.importer import Imported
from peershelf.blockstore.unixfs.metadata import Metadata
from peershelf.blockstore.unixfs.profiles import DEFAULT_PROFILE, PROFILES, Profile, with_options
from peershelf.blockstore.unixfs.resolve import PathResolver
from peershelf.blockstore.unixfs.tree import TreeImporter

LEAF = Block.create(b"x")
FILE = Imported(LEAF.cid, 1, 1, 1)

Path = tuple[bytes, ...]

names = (
    st.binary(min_size=1, max_size=8)
    | st.text(st.characters(codec="utf-8"), min_size=1, max_size=8).map(str.encode)
    | st.integers(0, 99).map(lambda number: b"%d" % number)
).filter(lambda name: name not in (b".", b"..") and not {0, ord("/")} & set(name))


@st.composite
def trees(draw: st.DrawFn) -> dict[Path, str]:
    """The kind of each entry, by its path; what stands above an entry is a directory."""
    kinds = st.sampled_from(["file", "directory", "symlink"])
    tree: dict[Path, str] = {}
    for path, kind in draw(
        st.dictionaries(st.lists(names, min_size=1, max_size=4).map(tuple), kinds)
    ).items():
        above = [path[:depth] for depth in range(1, len(path))]
        if path not in tree and all(tree.get(one, "directory") == "directory" for one in above):
            tree |= dict.fromkeys(above, "directory")
            tree[path] = kind
    return tree


profiles = st.builds(
    with_options,
    st.sampled_from(list(PROFILES.values())),
    max_directory_links=st.integers(0, 3),
    hamt_fanout=st.sampled_from([8, 16, 256, 1024]),
)


def build(tree: dict[Path, str], profile: Profile, sink: Any) -> list[tuple[Path, Imported]]:
    importer = TreeImporter(sink, profile)
    for path, kind in tree.items():
        match kind:
            case "file":
                importer.add_file(path, FILE)
            case "directory":
                importer.add_directory(path)
            case "symlink":
                importer.add_symlink(path, b"target")
    return list(importer.finish())


def resolve(shelf: Any, root: Cid, path: Path) -> Cid:
    resolver = PathResolver(root, [name.decode("utf-8", "surrogateescape") for name in path])
    while (wanted := resolver.wanted) is not None:
        resolver.receive(shelf.blocks[wanted])
    assert resolver.result is not None
    return resolver.result


@given(trees(), profiles)
def test_every_entry_of_a_tree_is_found_again(
    make_shelf: Callable[[], Any], tree: dict[Path, str], profile: Profile
) -> None:
    shelf = make_shelf()
    finished = build(tree, profile, lambda blocks: shelf.put(*blocks))
    directories = {path: imported.cid for path, imported in finished}
    assert {path for path, kind in tree.items() if kind == "directory"} | {()} == set(directories)
    for path, kind in tree.items():
        found = resolve(shelf, directories[()], path)
        assert (found == LEAF.cid) == (kind == "file")
        assert directories.get(path, found) == found
        with pytest.raises(PathNotFound):
            resolve(shelf, directories[path[:-1]], (path[-1] + b"?",) * 9)


@given(trees(), profiles, st.randoms(use_true_random=False))
def test_the_order_of_the_entries_changes_nothing(
    tree: dict[Path, str], profile: Profile, rng: Random
) -> None:
    paths = list(tree)
    rng.shuffle(paths)
    mixed = build({path: tree[path] for path in paths}, profile, lambda _: None)
    assert mixed == build(tree, profile, lambda _: None)


@given(trees(), profiles)
def test_blocks_come_children_first_and_add_up(tree: dict[Path, str], profile: Profile) -> None:
    blocks: list[Block] = []
    *_, (_, root) = build(tree, profile, blocks.extend)
    sizes = {LEAF.cid: 1}
    for block in blocks:
        assert Block.verify(block.cid, block.data) == block
        children = [] if block.cid.codec == RAW else pb.decode(block.data).links
        assert [link.size for link in children] == [sizes[link.cid] for link in children]
        sizes[block.cid] = len(block.data) + sum(sizes[link.cid] for link in children)
    assert blocks[-1].cid == root.cid
    assert root.dag_size == sizes[root.cid]
    assert root.size == sum({"file": 1, "symlink": 6, "directory": 0}[kind] for kind in tree.values())


def test_directories_come_out_before_the_one_that_holds_them() -> None:
    tree = dict.fromkeys([(b"b", b"x"), (b"a", b"c", b"x"), (b"a", b"b", b"x"), (b"x",)], "file")
    finished = build(tree, DEFAULT_PROFILE, lambda _: None)
    assert [path for path, _ in finished] == [(b"a", b"b"), (b"a", b"c"), (b"a",), (b"b",), ()]


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_a_tree_without_entries_is_the_empty_directory(profile: Any) -> None:
    [(path, imported)] = TreeImporter(lambda _: None, profile).finish()
    known = {
        "unixfs-v0-2015": "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn",
        "unixfs-v1-2025": "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354",
    }
    assert (path, str(imported.cid), imported.size) == ((), known[profile.name], 0)


def test_a_tree_deeper_than_any_stack_is_built() -> None:
    deep = (b"d",) * 20_000
    tree = TreeImporter(lambda _: None, DEFAULT_PROFILE)
    tree.add_file((*deep, b"file"), FILE)
    depths = [len(path) for path, _ in tree.finish()]
    assert depths == list(range(20_000, -1, -1))


def test_an_entry_has_one_name_and_one_kind() -> None:
    tree = TreeImporter(lambda _: None, DEFAULT_PROFILE)
    tree.add_file((b"a", b"file"), FILE)
    with pytest.raises(InvalidPath, match="two entries are named 'a/file'"):
        tree.add_symlink((b"a", b"file"), b"")
    with pytest.raises(InvalidPath, match="'a/file' is both"):
        tree.add_directory((b"a", b"file"))
    with pytest.raises(InvalidPath, match="'a/file' is both"):
        tree.add_file((b"a", b"file", b"below"), FILE)
    with pytest.raises(InvalidPath, match="two entries are named 'a'"):
        tree.add_file((b"a",), FILE)
    tree.add_directory((b"a",), Metadata(0o700))
    with pytest.raises(InvalidPath, match="two entries are named 'a'"):
        tree.add_directory((b"a",))


@pytest.mark.parametrize("name", [b"", b".", b"..", b"a/b", b"/", b"a\0b"])
def test_names_that_no_file_system_has_are_refused_and_leave_nothing(name: bytes) -> None:
    tree = TreeImporter(lambda _: None, DEFAULT_PROFILE)
    for path in ((name,), (b"new", name), (b"new", name, b"below")):
        with pytest.raises(InvalidPath, match="cannot be named"):
            tree.add_file(path, FILE)
        with pytest.raises(InvalidPath, match="cannot be named"):
            tree.add_directory(path)
    with pytest.raises(InvalidPath):
        tree.add_file((), FILE)
    assert list(tree.finish()) == list(TreeImporter(lambda _: None, DEFAULT_PROFILE).finish())


def test_strange_names_are_escaped_in_errors() -> None:
    tree = TreeImporter(lambda _: None, DEFAULT_PROFILE)
    tree.add_file((b"\x1b[31m\xff",), FILE)
    with pytest.raises(InvalidPath) as refused:
        tree.add_file((b"\x1b[31m\xff",), FILE)
    assert str(refused.value).isprintable()


def test_names_may_be_longer_than_a_file_system_takes_but_not_than_a_block() -> None:
    assert build({(b"n" * 70_000,): "file"}, DEFAULT_PROFILE, lambda _: None)
    with pytest.raises(InvalidImportOption, match="directory 'sub' has names too long"):
        build({(b"sub", b"n" * (2 << 20)): "file"}, DEFAULT_PROFILE, lambda _: None)


def test_a_link_has_a_target_that_fits_in_a_block() -> None:
    tree = TreeImporter(lambda _: None, DEFAULT_PROFILE)
    with pytest.raises(InvalidImportOption, match="link 'a' has a target too long"):
        tree.add_symlink((b"a",), b"t" * (2 << 20))
    assert tree.add_symlink((b"a",), b"").size == 0


def test_nothing_can_be_added_to_a_finished_tree() -> None:
    tree = TreeImporter(lambda _: None, DEFAULT_PROFILE)
    list(tree.finish())
    for add in (tree.finish, lambda: tree.add_file((b"a",), FILE), lambda: tree.add_directory((b"a",))):
        with pytest.raises(ValueError, match="finished"):
            add()


def test_the_sink_gets_batches_of_a_few_mib_and_all_before_the_root_comes_out() -> None:
    blocks: list[Block] = []
    batches: list[int] = []

    def sink(batch: Any) -> None:
        blocks.extend(batch)
        batches.append(sum(len(block.data) for block in batch))

    tree = TreeImporter(sink, replace(DEFAULT_PROFILE, directory_threshold=1 << 20))
    for number in range(40):
        tree.add_symlink((b"%d" % number, b"link"), b"%d" % number * 150_000)
    for path, imported in tree.finish():
        assert path or blocks[-1].cid == imported.cid
    assert len(batches) > 1
    assert all(5 << 20 <= size < 6 << 20 for size in batches[:-1])
    reachable = {cid for block in blocks for cid in links(block.cid, block.data)}
    assert reachable < {block.cid for block in blocks}


def test_what_the_sink_raises_comes_out() -> None:
    def fail(_: Any) -> None:
        raise StoreFull("no space left on the device")

    with pytest.raises(StoreFull):
        build({}, DEFAULT_PROFILE, fail)
