"""Pins as their users handle them: with and without a daemon, and against collections."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

NewShelf = Callable[[], Any]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    (folder / "inner").mkdir(parents=True)
    for number in range(5):
        (folder / f"{number}.txt").write_text(f"file {number}\n" * 50)
    (folder / "inner" / "big").write_bytes(bytes(range(256)) * 12_000)
    return folder


def add(node: Any, path: Path, *options: str) -> str:
    return str(node.text("add", "-r", "-Q", *options, path))


def test_a_pin_has_a_kind_a_name_and_an_end(node: Any, tree: Path) -> None:
    cid = add(node, tree, "--pin=false")
    assert node.text("pin", "ls") == ""
    assert node.text("pin", "add", "--name", "holiday", cid) == f"pinned {cid} recursively"
    assert node.text("pin", "ls", "--names") == f"{cid} recursive holiday"
    assert node.text("pin", "ls", "-q", "--name", "holi") == cid
    assert node.text("pin", "ls", "--name", "other") == ""
    record = json.loads(node("--json", "pin", "ls"))
    assert record.pop("Added")[:2] == "20"
    assert record == {"Cid": cid, "Type": "recursive", "Name": "holiday"}
    assert node.text("pin", "rm", cid) == f"unpinned {cid}"
    assert node.text("pin", "ls") == ""


def test_what_is_below_a_pin_is_indirect(node: Any, tree: Path) -> None:
    cid = add(node, tree)
    below = node.text("refs", "-r", "-u", cid).splitlines()
    assert sorted(node.text("pin", "ls", "-t", "indirect", "-q").splitlines()) == sorted(below)
    assert node.text("pin", "ls", cid, below[0]) == f"{cid} recursive\n{below[0]} indirect through {cid}"
    error = node.fails("pin", "rm", below[0])
    assert f"{below[0]} is pinned indirectly, under {cid}" in error


def test_unpinning_is_all_or_nothing(node: Any, tree: Path) -> None:
    first, second = add(node, tree), add(node, tree / "inner")
    node("pin", "rm", second)
    assert "is pinned indirectly" in node.fails("pin", "rm", first, second)
    assert node.text("pin", "ls", "-q") == first


def test_a_direct_pin_keeps_one_block(node: Any, tree: Path) -> None:
    cid = add(node, tree, "--pin=false")
    assert node.text("pin", "add", "--recursive=false", cid) == f"pinned {cid} directly"
    node("repo", "gc")
    assert len(node.text("refs", "local").splitlines()) == 1
    assert cid in node.text("block", "stat", cid)


def test_a_direct_pin_of_what_is_pinned_recursively_is_refused(node: Any, tree: Path) -> None:
    cid = add(node, tree)
    assert "is pinned recursively already" in node.fails("pin", "add", "--recursive=false", cid)


def test_a_pin_moves_with_its_name(node: Any, tree: Path) -> None:
    old = add(node, tree, "--pin=false")
    node("pin", "add", "--name", "site", old)
    (tree / "new").write_text("new")
    new = add(node, tree, "--pin=false")
    assert node.text("pin", "update", old, new) == f"updated {old} to {new}"
    assert node.text("pin", "ls", "--names") == f"{new} recursive site"
    assert f"{old} is not pinned recursively" in node.fails("pin", "update", old, new)


def test_collections_keep_pins_and_nothing_else(node: Any, tree: Path) -> None:
    kept = add(node, tree)
    (tree / "extra").write_bytes(bytes(300_000))
    garbage = add(node, tree, "--pin=false")
    removed = node.text("repo", "gc", "-q").splitlines()
    assert len(removed) == 2  # the file and the directory
    assert node.text("repo", "gc") == "nothing to remove"
    assert node.text("pin", "verify") == ""
    assert node("cat", f"{kept}/inner/big") == (tree / "inner" / "big").read_bytes()
    assert garbage[-20:] in "".join(removed)
    node("pin", "rm", kept)
    assert node.text("repo", "gc").splitlines()[-1].startswith("removed 10 blocks, freed ")
    assert node.text("repo", "gc", "--silent") == ""
    assert node.text("refs", "local") == ""


def test_what_is_not_whole_here_is_not_pinned_offline(shelf: Any, tree: Path) -> None:
    cid = add(shelf, tree)
    inner = shelf.text("resolve", f"{cid}/inner").removeprefix("/ipfs/")
    shelf("pin", "rm", cid)
    shelf("block", "rm", inner)
    assert "is not in the store" in shelf.fails("--offline", "pin", "add", cid)
    assert shelf.text("pin", "ls") == ""


def test_a_tree_from_a_peer_is_pinned_whole(new_shelf: NewShelf, tree: Path) -> None:
    seed, node = new_shelf(), new_shelf()
    cid = add(seed, tree)
    with seed.running():
        assert node.text("pin", "add", "--peer", seed.addresses[0], cid) == f"pinned {cid} recursively"
    assert node("--offline", "cat", f"{cid}/inner/big") == (tree / "inner" / "big").read_bytes()
    assert node.text("pin", "verify", "-v").endswith(f"{cid} ok")


def test_what_nobody_has_is_not_pinned(shelf: Any) -> None:
    absent = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"
    with shelf.running():
        assert "did not arrive within" in shelf.fails("pin", "add", "--timeout", "300ms", absent)
        assert shelf.text("pin", "ls") == ""
