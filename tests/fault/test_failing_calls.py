"""Any call of the operating system that takes space, or syncs, may fail: a line, and nothing is lost."""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from recording import build_recorder, environment

STEP = int(os.environ.get("PEERSHELF_FAILING_STEP", "9"))
"""Every so many calls one is made to fail; 1 for all of them."""

MOST = 64


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_recorder(tmp_path_factory.mktemp("recorder"))


@pytest.mark.slow
@pytest.mark.parametrize("words", [["add", "-Q"], ["add", "-Q", "-r"], ["repo", "gc"]], ids=" ".join)
def test_a_command_that_fails_anywhere(
    words: list[str],
    new_shelf: Callable[[], Any],
    recorder: Path,
    tmp_path: Path,
) -> None:
    rng = random.Random(3)
    folder = tmp_path / "folder"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}").write_bytes(rng.randbytes(2_000_000))
    shelf = new_shelf()
    kept = shelf.text("add", "-Q", folder / "0")
    plain, failures = dict(shelf.environment), 0
    for number in range(1, MOST, STEP):
        if words[0] == "repo":
            shelf("add", "-Q", "--pin=false", folder / "1")
            call = words
        else:
            (folder / "2").write_bytes(rng.randbytes(2_000_000))
            call = [*words, str(folder if "-r" in words else folder / "2")]
        code = errno.ENOSPC if number % 2 else errno.EIO
        shelf.environment = {**plain, **environment(recorder, shelf.path, fail=f"{number}:{code}")}
        done = shelf.run(*call)
        shelf.environment = plain
        assert b"internal error" not in done.stderr, (number, done.stderr)
        if done.returncode:
            failures += 1
            assert done.stderr.count(b"\n") == 1, (number, done.stderr)
        elif words[0] == "add":
            assert (
                shelf.run("--offline", "get", "-o", tmp_path / "out", done.stdout.decode().strip()).returncode
                == 0
            )
        assert shelf("cat", kept) == (folder / "0").read_bytes()
    # The next ones need no repair.
    again = shelf.text("add", "-Q", folder / "1")
    assert shelf("cat", again) == (folder / "1").read_bytes()
    shelf("repo", "gc")
    assert shelf.text("repo", "verify").endswith("all sound")
    assert failures
