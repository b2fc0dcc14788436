"""kill -9 and a full disk in the middle of a `pin add` that fetches from a peer."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROUNDS = int(os.environ.get("PEERSHELF_KILL_ROUNDS", "2"))
TREES = 2
LONGEST = 1.5
"""Seconds in which all trees of a round are pinned, about."""

NewShelf = Callable[[], Any]


def make_tree(folder: Path, rng: random.Random) -> Path:
    """Some hundred small files, and one of several blocks."""
    for number in range(150):
        path = folder / f"{number % 7}" / f"{number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(rng.randbytes(rng.choice((0, 10, 4000, 30_000))))
    (folder / "large").write_bytes(rng.randbytes(3_500_000))
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def killed_while_pinning(node: Any, peer: str, cids: list[str], moment: float) -> set[str]:
    """Kill a daemon that pins; returns the CIDs that were printed."""
    with node.running():
        node("swarm", "connect", peer)
        pinning = [node.start("pin", "add", cid, stdout=-1, stderr=subprocess.DEVNULL) for cid in cids]
        time.sleep(moment)
        node.kill()
        printed = [process.communicate()[0].decode() for process in pinning]
    return {cid for cid, line in zip(cids, printed, strict=True) if line == f"pinned {cid} recursively\n"}


def test_printed_pins_are_whole_after_a_kill(new_shelf: NewShelf, tmp_path: Path) -> None:
    seed, node = new_shelf(), new_shelf()
    rng = random.Random(ROUNDS)
    trees: dict[str, Path] = {}
    with seed.running():
        left: list[str] = []
        for turn in range(ROUNDS):
            for number in range(TREES):
                tree = make_tree(tmp_path / f"tree-{turn}-{number}", rng)
                cid = seed.text("add", "-r", "-Q", "--progress=false", tree)
                trees[cid] = tree
                left.append(cid)
            # What was begun in an earlier round is taken up in this one.
            printed = killed_while_pinning(node, seed.addresses[0], left, rng.uniform(0.1, LONGEST))
            check(node, trees, printed, tmp_path / "got")
            left = [cid for cid in left if cid not in printed]
        with node.running():
            node("swarm", "connect", seed.addresses[0])
            node("pin", "add", "--progress=false", *trees)
    node("repo", "gc", "--silent")
    check(node, trees, set(trees), tmp_path / "got")


def check(node: Any, trees: dict[str, Path], printed: set[str], target: Path) -> None:
    """What was printed is pinned, and everything that is pinned is whole, offline."""
    pinned = set(node.text("pin", "ls", "-q").split())
    assert printed <= pinned <= set(trees)
    verified = node.text("pin", "verify", "-v").splitlines()
    assert sorted(verified) == sorted(f"{cid} ok" for cid in pinned)
    node("repo", "verify")
    for cid in printed:
        node("--offline", "get", "-o", target, cid)
        assert contents(target) == contents(trees[cid])
        shutil.rmtree(target)


def test_a_disk_that_fills_up_under_a_pin(
    shelf_at: Callable[[Path], Any], new_shelf: NewShelf, disk_of: Callable[[str], Path], tmp_path: Path
) -> None:
    rng, small_disk = random.Random(7), disk_of("24m")
    seed, node = new_shelf(), shelf_at(small_disk / "repo")
    fits, tree = tmp_path / "fits", make_tree(tmp_path / "tree", rng)
    fits.write_bytes(rng.randbytes(2_000_000))
    (tree / "huge").write_bytes(rng.randbytes(30_000_000))
    kept = node.text("add", "-Q", "--progress=false", fits)
    cid = seed.text("add", "-r", "-Q", "--progress=false", tree)
    with seed.running(), node.running():
        node("swarm", "connect", seed.addresses[0])
        assert "no space left" in node.fails("pin", "add", cid)
        assert node("cat", kept) == fits.read_bytes()
        assert node.text("pin", "ls", "-q") == kept
        subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
        assert node.text("pin", "add", cid) == f"pinned {cid} recursively"
    assert node.text("pin", "verify") == ""
    assert node("--offline", "cat", f"{cid}/huge") == (tree / "huge").read_bytes()
