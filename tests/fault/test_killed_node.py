"""kill -9 at random moments of `add`, `add -r` and `repo gc`, one after the other on one repo.

Every CID that was printed reads back, verify finds nothing bad, and after a collection nothing is left over
beyond one segment. PEERSHELF_KILL_ROUNDS sets how often each is killed.
"""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest

ROUNDS = int(os.environ.get("PEERSHELF_KILL_ROUNDS", "4"))
SEGMENT_SIZE = 64 << 20
FILES = 12


def kill_at_random(node: Any, rng: random.Random, seconds: float, *words: Any) -> list[str]:
    """Start a command, kill it, and return the whole lines that it printed."""
    running = node.start(*words, stdout=-1)
    # This is no wait for anything: the moment must not depend on the program's progress.
    time.sleep(rng.uniform(0.15, seconds))
    running.send_signal(signal.SIGKILL)
    with running:
        lines = running.stdout.readlines()
    return [line.decode().strip() for line in lines if line.endswith(b"\n")]


def duration(node: Any, *words: Any) -> float:
    started = time.monotonic()
    node(*words)
    return time.monotonic() - started


@pytest.mark.timeout(120 + 20 * ROUNDS)
def test_adds_and_collections_that_are_killed(shelf: Any, tmp_path: Path) -> None:
    printed: dict[str, bytes] = {}
    roots: set[str] = set()
    usual_gc = duration(shelf, "repo", "gc")
    for number in range(ROUNDS):
        rng = random.Random(number)
        folder = tmp_path / f"tree-{number}"
        folder.mkdir()
        for name in range(FILES):
            (folder / f"{name}").write_bytes(rng.randbytes(rng.choice((100, 40_000, 1_500_000))))
        contents = {path.name: path.read_bytes() for path in folder.iterdir()}
        shelf("add", "-r", "--pin=false", "-Q", folder)  # garbage that the add shares blocks with
        paths = sorted(folder.iterdir()) if number % 2 else ["-r", folder]
        lines = kill_at_random(shelf, rng, 1.0, "add", "--progress=false", *paths)
        for line in lines:
            _, cid, name = line.split()
            if name != folder.name:
                printed[cid] = contents[name.rpartition("/")[2]]
            else:
                printed |= {f"{cid}/{file}": content for file, content in contents.items()}
            if "/" not in name:
                roots.add(cid)
        kill_at_random(shelf, rng, usual_gc * 1.4 + 0.1, "repo", "gc", "-q")
        _check(shelf, printed)
    shelf("repo", "gc")
    _check(shelf, printed)
    stored = sum(path.stat().st_size for path in (shelf.path / "segments").glob("*.seg"))
    assert roots <= set(shelf.text("pin", "ls", "-q").splitlines())
    needed = sum(len(content) for content in set(printed.values()))
    assert stored <= needed + SEGMENT_SIZE


def _check(node: Any, printed: dict[str, bytes]) -> None:
    assert node.text("repo", "verify").endswith("all sound")
    if printed:
        assert node("cat", *printed) == b"".join(printed.values())
