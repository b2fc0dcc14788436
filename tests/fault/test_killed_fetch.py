"""kill -9 in the middle of what fetches: what is there is right, what is pinned is whole, it can go on."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROUNDS = int(os.environ.get("PEERSHELF_KILL_ROUNDS", "3"))
CONTENT_SIZE = 24_000_000


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    rng = random.Random(8)
    folder = tmp_path / "tree"
    (folder / "inner").mkdir(parents=True)
    for number in range(40):
        (folder / "inner" / f"{number}").write_bytes(rng.randbytes(rng.randrange(20_000)))
    (folder / "big").write_bytes(rng.randbytes(CONTENT_SIZE))
    return folder


@pytest.mark.timeout(120 + 20 * ROUNDS)
def test_a_killed_fetch_leaves_nothing_wrong(
    new_shelf: Callable[[], Any], tree: Path, tmp_path: Path
) -> None:
    seed = new_shelf()
    cid = seed.text("add", "-r", "-Q", tree)
    # So slow that every kill is in the middle.
    seed("config", "set", "Swarm.LimitLocal", "true")
    seed("config", "set", "Swarm.UploadRate", "20MB/s")
    with seed.running():
        for number in range(ROUNDS):
            node, target = new_shelf(), tmp_path / f"out-{number}"
            rng = random.Random(number)
            peer = ["--peer", seed.addresses[0], cid]
            words = [["get", "-o", target, *peer], ["pin", "add", *peer], ["cat", *peer[:-1], f"{cid}/big"]][
                number % 3
            ]
            running = node.start(*words, stdout=subprocess.PIPE)
            # This is no wait for anything: the moment must not depend on the program's progress.
            time.sleep(rng.uniform(0.5, 2.2))
            running.send_signal(signal.SIGKILL)
            told, _ = running.communicate()
            _check_right(node, target, tree)
            output = node(*words)
            if number % 3 == 2:
                assert output == (tree / "big").read_bytes()
                assert output.startswith(told)
            elif number % 3:
                assert node.text("pin", "ls", "-q") == cid
                assert node("--offline", "cat", f"{cid}/big") == (tree / "big").read_bytes()
            else:
                _check_same(target, tree)
            assert node.text("repo", "verify").endswith("all sound")


def _check_right(node: Any, target: Path, tree: Path) -> None:
    """After the kill: every file under its final name is whole, every block right, and every pin kept."""
    assert node.text("repo", "verify").endswith("all sound")
    assert node.text("pin", "verify") == ""
    for path in target.rglob("*") if target.is_dir() else ():
        original = tree / path.relative_to(target)
        if path.is_file() and original.exists():
            assert path.read_bytes() == original.read_bytes(), path


def _check_same(target: Path, tree: Path) -> None:
    names = sorted(str(path.relative_to(tree)) for path in tree.rglob("*"))
    assert sorted(str(path.relative_to(target)) for path in target.rglob("*")) == names
    for name in names:
        if (tree / name).is_file():
            assert (target / name).read_bytes() == (tree / name).read_bytes()
