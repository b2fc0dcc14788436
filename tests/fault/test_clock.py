"""A clock that is set back by more than a year, between commands and under a running daemon."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from peershelf.blockstore.pins import Pins

SOURCE = Path(__file__).with_name("clock.c")
A_YEAR = 365 * 24 * 60 * 60
NewShelf = Callable[[], Any]


@pytest.fixture
def clock(tmp_path: Path) -> Path:
    """The library that moves clocks. A machine without a C compiler cannot run this, and says so."""
    library = tmp_path / "clock.so"
    command = [os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE), "-ldl"]
    subprocess.run(command, check=True)
    return library


def content(tmp_path: Path, number: int) -> Path:
    path = tmp_path / f"file-{number}"
    path.write_bytes(random.Random(number).randbytes(700_000))
    return path


def test_a_clock_set_back_loses_nothing(new_shelf: NewShelf, clock: Path, tmp_path: Path) -> None:
    seed, node = new_shelf(), new_shelf()
    switch = tmp_path / "set-back"
    node.environment |= {"LD_PRELOAD": str(clock), "CLOCK_SET_BACK": str(switch)}
    paths = [content(tmp_path, number) for number in range(6)]
    before = node.text("add", "-Q", paths[0])
    theirs = seed.text("add", "-Q", paths[5])
    with seed.running(), node.running():
        kept = [before, node.text("add", "-Q", paths[1])]
        switch.touch()
        kept.append(node.text("add", "-Q", paths[2]))
        node("swarm", "connect", seed.addresses[0])
        kept.append(node.text("pin", "add", theirs).split()[1])
        garbage = node.text("add", "-Q", "--pin=false", paths[4])
        assert garbage in node.text("repo", "gc")
        check(node, kept, [paths[number] for number in (0, 1, 2, 5)])
    assert pinned_at(node, kept[2]) < pinned_at(node, before) - A_YEAR
    kept.append(node.text("add", "-Q", paths[3]))
    check(node, kept, [paths[number] for number in (0, 1, 2, 5, 3)])
    switch.unlink()
    check(node, kept, [paths[number] for number in (0, 1, 2, 5, 3)])
    node("repo", "gc")
    check(node, kept, [paths[number] for number in (0, 1, 2, 5, 3)])


def pinned_at(node: Any, cid: str) -> int:
    """When a root was pinned, as the repo has it, in seconds since 1970."""
    with Pins(node.path / "facts.db") as pins:
        return next(pin.added for pin in pins.list() if str(pin.cid) == cid)


def check(node: Any, kept: list[str], paths: list[Path]) -> None:
    assert set(node.text("pin", "ls", "-q").split()) == set(kept)
    assert node("--offline", "cat", *kept) == b"".join(path.read_bytes() for path in paths)
    assert node.text("repo", "verify").endswith("all sound")
    assert node.text("pin", "verify") == ""
