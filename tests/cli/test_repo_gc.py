"""`repo gc` as its users run it, without a daemon and through one."""

from __future__ import annotations

import json
import random
import signal
import subprocess
from pathlib import Path
from typing import Any

BLOCKS = 30


def garbage(shelf: Any, folder: Path, *, seed: int = 1, size: int = BLOCKS * 10_000) -> bytes:
    """Add a file of so many blocks that no pin needs; returns its content."""
    path = folder / f"garbage-{seed}"
    path.write_bytes(random.Random(seed).randbytes(size))
    shelf("add", "-Q", "--pin=false", "--chunker", "size-10000", path)
    return path.read_bytes()


def local(shelf: Any) -> list[str]:
    return sorted(shelf.text("refs", "local").splitlines())


def test_each_block_is_told_as_refs_local_names_it_and_the_last_line_sums_up(
    node: Any, tmp_path: Path
) -> None:
    garbage(node, tmp_path)
    before = local(node)
    *removed, told = node.text("repo", "gc").splitlines()
    assert sorted(removed) == [f"removed {cid}" for cid in before]
    assert len(before) == BLOCKS + 1
    assert told.startswith(f"removed {BLOCKS + 1} blocks, freed 29")
    assert told.endswith(" KiB")
    assert node.text("repo", "gc") == "nothing to remove"


def test_quiet_is_cids_alone_and_silent_nothing(node: Any, tmp_path: Path) -> None:
    garbage(node, tmp_path)
    before = local(node)
    assert sorted(node.text("repo", "gc", "-q").splitlines()) == before
    garbage(node, tmp_path, seed=2)
    done = node.run("repo", "gc", "--silent")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert local(node) == []


def test_json_has_the_keys_of_kubo_and_then_the_sums(node: Any, tmp_path: Path) -> None:
    garbage(node, tmp_path)
    before = local(node)
    *removed, sums = map(json.loads, node("--json", "repo", "gc").splitlines())
    assert sorted(removed, key=str) == [{"Key": {"/": cid}} for cid in before]
    assert sums["Blocks"] == BLOCKS + 1
    assert sums["BlocksSize"] > BLOCKS * 10_000
    assert sums["Freed"] > BLOCKS * 9_000
    assert sums["Seconds"] >= 0


def test_a_pin_that_is_not_whole_is_one_line_and_nothing_goes(node: Any, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_bytes(bytes(1000) + b"kept")
    cid = node.text("add", "-Q", "--chunker", "size-1000", kept)
    node.stop()
    lose_root(node.path, cid)
    data = garbage(node, tmp_path)
    before = local(node)
    told = node.fails("repo", "gc")
    assert f"{cid}, which the pin of {cid} needs, cannot be read (missing)" in told
    assert "repo verify --heal" in told
    assert "pin rm" in told
    assert local(node) == before
    node("pin", "rm", cid)
    assert node.text("repo", "gc").startswith("removed ")
    assert len(data) == BLOCKS * 10_000


def lose_root(path: Path, cid: str) -> None:
    """Take a block out of a store, as no command of ours does."""
    from peershelf.blockstore.cid import Cid
    from peershelf.blockstore.store.pack import PackStore

    with PackStore.open(path) as store:
        assert store.delete_many([Cid.parse(cid)]) == 1


def test_ctrl_c_leaves_a_sound_repo_and_another_goes_on(node: Any, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_bytes(random.Random(9).randbytes(50_000))
    cid = node.text("add", "-Q", "--chunker", "size-10000", kept)
    path = tmp_path / "garbage"
    path.write_bytes(random.Random(8).randbytes(1_000_000))
    node("add", "-Q", "--pin=false", "--chunker", "size-100", path)
    # Nobody reads more than a line of what a pipe has no room for: it is interrupted in the middle.
    running = node.start("repo", "gc", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with running:
        assert running.stdout.readline().startswith(b"removed ")
        running.send_signal(signal.SIGINT)
        _, error = running.communicate(timeout=30)
    assert (running.returncode, error) == (130, b"")
    node("repo", "gc", "--silent")
    assert node("cat", cid) == kept.read_bytes()
    assert len(local(node)) == 6
    assert node.text("repo", "verify").endswith("all sound")
