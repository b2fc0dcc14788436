"""A user without the rights to the repo, to one of its files, to what is to be added: one line, no harm."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOTS_RIGHTS = "-dac_override,-dac_read_search"
"""What lets root open every file."""
REASON = ("Permission denied", "unable to open", "readonly", "attempt to write")

Fails = Callable[..., str]


@dataclass(frozen=True)
class Stocked:
    """A repo with one pinned file, one that is garbage, and a command line without root's rights."""

    shelf: Any
    kept: str
    content: bytes

    def run(self, *words: str | Path) -> subprocess.CompletedProcess[bytes]:
        prefix = []
        if os.geteuid() == 0:
            prefix = ["setpriv", f"--bounding-set={ROOTS_RIGHTS}", f"--inh-caps={ROOTS_RIGHTS}"]
        return subprocess.run(
            [*prefix, *self.shelf.program, *map(str, words)],
            env=self.shelf.environment,
            capture_output=True,
            check=False,
            timeout=60,
        )

    def fails(self, *words: str | Path) -> str:
        done = self.run(*words)
        error = done.stderr.decode()
        assert (done.returncode, done.stdout) == (1, b""), error
        assert error.startswith("Error: "), error
        assert error.count("\n") == 1, error
        return error

    def works(self) -> None:
        """Everything does, with nothing to repair first."""
        assert self.run("cat", self.kept).stdout == self.content
        done = self.run("add", "-Q", __file__)
        assert done.returncode == 0, done.stderr
        assert self.run("repo", "gc").returncode == 0
        assert self.run("repo", "verify").returncode == 0
        assert set(self.run("pin", "ls", "-q").stdout.split()) == {self.kept.encode(), done.stdout.strip()}


@pytest.fixture
def stocked(shelf: Any, tmp_path: Path) -> Stocked:
    content = random.Random(3).randbytes(300_000)
    path = tmp_path / "content"
    path.write_bytes(content)
    kept = shelf.text("add", "-Q", path)
    path.write_bytes(content[::-1])
    shelf("add", "-Q", "--pin=false", path)
    return Stocked(shelf, kept, content)


@contextmanager
def mode(path: Path, bits: int) -> Iterator[None]:
    before = path.stat().st_mode
    path.chmod(bits)
    try:
        yield
    finally:
        path.chmod(before)


CHANGING = [("add", __file__), ("repo", "gc"), ("pin", "rm"), ("block", "rm")]


@pytest.mark.parametrize("words", CHANGING, ids=" ".join)
def test_a_repo_that_may_not_be_written(stocked: Stocked, words: tuple[str, ...]) -> None:
    path = stocked.shelf.path
    more = (stocked.kept,) if words[-1] == "rm" else ()
    with mode(path / "segments", 0o500), mode(path, 0o500):
        error = stocked.fails(*words, *more)
        assert any(reason in error for reason in REASON), error
        assert str(path) in error
    stocked.works()


@pytest.mark.parametrize("bits", [0o000, 0o400], ids=oct)
@pytest.mark.parametrize("name", ["facts.db", "index.db", "lock"])
def test_a_file_of_the_repo_that_may_not_be_written(stocked: Stocked, name: str, bits: int) -> None:
    with mode(stocked.shelf.path / name, bits):
        error = stocked.fails("add", __file__)
        assert any(reason in error for reason in REASON), error
        assert name in error
    stocked.works()


@pytest.mark.parametrize("name", ["config.toml", "version", "segments"])
def test_a_part_of_the_repo_that_may_not_be_read(stocked: Stocked, name: str) -> None:
    with mode(stocked.shelf.path / name, 0o000):
        error = stocked.fails("cat", stocked.kept)
        assert "Permission denied" in error
        assert str(stocked.shelf.path / name) in error
    stocked.works()


@pytest.fixture
def locked_tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    (tree / "inner").mkdir(parents=True)
    (tree / "a").write_bytes(b"a")
    (tree / "inner" / "secret").write_bytes(b"secret")
    (tree / "z").write_bytes(b"z")
    return tree


@pytest.mark.parametrize("locked", ["inner/secret", "inner", "a"])
def test_what_is_added_may_not_be_read(stocked: Stocked, locked_tree: Path, locked: str) -> None:
    with mode(locked_tree / locked, 0o000):
        done = stocked.run("add", "-r", "--progress=false", locked_tree)
        assert done.returncode == 1
        error = done.stderr.decode()
        assert error.count("\n") == 1
        assert "Permission denied" in error
        assert str(locked_tree / locked) in error
    stocked.works()
    whole = stocked.run("add", "-r", "-Q", locked_tree)
    assert stocked.run("cat", f"{whole.stdout.decode().strip()}/inner/secret").stdout == b"secret"


def test_a_place_where_nothing_may_be_written(stocked: Stocked, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir(mode=0o500)
    error = stocked.fails("get", "-o", place / "out", stocked.kept)
    assert "Permission denied" in error
    assert place.name in error
    assert list(place.iterdir()) == []
    stocked.works()
