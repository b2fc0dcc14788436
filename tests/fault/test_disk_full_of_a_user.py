"""A full disk as a user meets it: one line, reads go on, gc makes room, the next command needs no repair."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

NO_SPACE = "no space left"
MIB = 1 << 20


def file(path: Path, seed: int, size: int) -> Path:
    path.write_bytes(random.Random(seed).randbytes(size))
    return path


@pytest.mark.parametrize("daemon", [False, True], ids=["alone", "daemon"])
def test_a_full_repo(
    shelf_at: Callable[[Path], Any],
    disk_of: Callable[[str], Path],
    fill_up: Callable[[Path], None],
    tmp_path: Path,
    daemon: bool,
) -> None:
    disk = disk_of("24m")
    node = shelf_at(disk / "repo")
    kept = file(tmp_path / "kept", 1, 2 * MIB)
    with node.running() if daemon else nullcontext():
        cid = node.text("add", "-Q", kept)
        node("add", "-Q", "--pin=false", file(tmp_path / "garbage", 2, 9 * MIB))
        assert NO_SPACE in node.fails("add", "-Q", file(tmp_path / "large", 3, 40 * MIB))
        fill_up(disk)
        assert NO_SPACE in node.fails("add", "-Q", file(tmp_path / "next", 4, 5 * MIB))
        assert node("cat", cid) == kept.read_bytes()
        assert node.text("pin", "ls", "-q") == cid
        leaf = node.text("refs", cid).split()[0]
        node("pin", "add", "--recursive=false", leaf)
        node("pin", "rm", leaf)
        node("repo", "gc", "--silent")
        more = node.text("add", "-Q", tmp_path / "next")
    assert node("cat", more) == (tmp_path / "next").read_bytes()
    assert node.text("repo", "verify").endswith("all sound")
    assert set(node.text("pin", "ls", "-q").split()) == {cid, more}


@pytest.fixture
def tree(shelf: Any, tmp_path: Path) -> tuple[str, Path]:
    folder = tmp_path / "tree"
    folder.mkdir()
    for number in range(6):
        file(folder / f"{number}", number, 2 * MIB)
    return shelf.text("add", "-r", "-Q", folder), folder


@pytest.mark.parametrize("options", [(), ("--archive",), ("--archive", "--compress")], ids=" ".join)
def test_a_full_target(
    shelf: Any, tree: tuple[str, Path], disk_of: Callable[[str], Path], options: tuple[str, ...]
) -> None:
    cid, folder = tree
    disk = disk_of("8m")
    error = shelf.fails("get", *options, "-o", disk / "out", cid)
    assert "No space left" in error
    whole = [path for path in disk.rglob("*") if path.is_file()]
    for path in whole:
        assert path.read_bytes() == (folder / path.name).read_bytes()
    assert bool(whole) == (options == ())
    subprocess.run(["mount", "-o", "remount,size=32m", str(disk)], check=True)
    shelf("get", *options, "-o", disk / "out", cid)
    if not options:
        assert subprocess.run(["diff", "-r", disk / "out", folder], check=False).returncode == 0
    assert len([path for path in disk.rglob("*") if path.is_file()]) == (1 if options else 6)
