from __future__ import annotations

from typing import Any

import pytest

from peershelf.blockstore.errors import InvalidPath
from peershelf.blockstore.unixfs.profiles import DEFAULT_PROFILE, PROFILES
from peershelf.blockstore.unixfs.tree import TreeImporter


def test_kubos_directory_is_made_byte_for_byte(shelf: Any, vectors: Any) -> None:
    tree = TreeImporter(lambda blocks: shelf.put(*blocks), DEFAULT_PROFILE)
    tree.add_symlink((b"link",), b"a.txt")
    tree.add_file((b"sub", b"deep.txt"), shelf.add(b"deep"))
    for name in ("z", "größe.txt", "a.txt"):
        tree.add_file((name.encode(),), shelf.add(f"basic {name}".encode()))
    finished = list(tree.finish())
    kubo = vectors("kubo_directories.json")["directories"]["basic"]
    assert [path for path, _ in finished] == [(b"sub",), ()]
    assert str(finished[-1][1].cid) == kubo["root"]
    assert {str(cid) for cid in shelf.blocks} == set(kubo["blocks"])


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_a_tree_without_entries_is_the_empty_directory(profile: Any) -> None:
    [(path, imported)] = TreeImporter(lambda _: None, profile).finish()
    known = {
        "unixfs-v0-2015": "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn",
        "unixfs-v1-2025": "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354",
    }
    assert (path, str(imported.cid), imported.size) == ((), known[profile.name], 0)


def test_an_entry_has_one_name_and_one_kind(shelf: Any) -> None:
    tree = TreeImporter(lambda _: None, DEFAULT_PROFILE)
    tree.add_file((b"a", b"file"), shelf.add(b""))
    with pytest.raises(InvalidPath, match="two entries are named 'a/file'"):
        tree.add_symlink((b"a", b"file"), b"")
    with pytest.raises(InvalidPath, match="'a/file' is both"):
        tree.add_directory((b"a", b"file"))
    with pytest.raises(InvalidPath, match="'a/file' is both"):
        tree.add_file((b"a", b"file", b"below"), shelf.add(b""))
    with pytest.raises(InvalidPath, match="two entries are named 'a'"):
        tree.add_file((b"a",), shelf.add(b""))
