"""kill -9 at random moments of `repo gc`: what is pinned reads back, and the next one leaves nothing else.

PEERSHELF_KILL_ROUNDS sets how often, for longer runs.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

ROUNDS = int(os.environ.get("PEERSHELF_KILL_ROUNDS", "3"))
CHUNK = 1000


@pytest.mark.timeout(60 + 20 * ROUNDS)
def test_a_killed_gc_loses_nothing_and_another_one_leaves_nothing(shelf: Any, tmp_path: Path) -> None:
    rng = random.Random(ROUNDS)
    kept: dict[str, bytes] = {}
    path = tmp_path / "content"
    for number in range(ROUNDS):
        shared = rng.randbytes(40 * CHUNK)
        for pin, size in (("true", 60 * CHUNK), ("false", rng.randrange(3_000) * CHUNK)):
            path.write_bytes(shared + rng.randbytes(size))
            cid = shelf.text("add", "-Q", f"--pin={pin}", "--chunker", f"size-{CHUNK}", path)
            if pin == "true":
                kept[cid] = path.read_bytes()
        _kill(shelf, rng)
        assert {cid: shelf("cat", cid) for cid in kept} == kept
        if number % 2:
            _check_clean(shelf, kept)
    _check_clean(shelf, kept)


def _kill(shelf: Any, rng: random.Random) -> None:
    """Run a collection, and kill it once it has told of some blocks, or has said that it is done."""
    with shelf.start("repo", "gc", stdout=subprocess.PIPE) as running:
        for _ in range(rng.randrange(1, 900)):
            running.stdout.readline()
        # This is no wait for anything: the moment of the kill must not depend on the program's progress.
        time.sleep(rng.uniform(0, 0.05))
        running.send_signal(signal.SIGKILL)


def _check_clean(shelf: Any, kept: dict[str, bytes]) -> None:
    """A collection leaves what is pinned, and nothing else."""
    shelf("repo", "gc", "--silent")
    assert shelf.text("pin", "verify") == ""
    assert shelf.text("repo", "verify").endswith("all sound")
    needed = {cid for root in kept for cid in shelf.text("refs", "-r", "-u", root).split()}
    assert len(shelf.text("refs", "local").split()) == len(needed | kept.keys())
    size = sum(file.stat().st_size for file in (shelf.path / "segments").iterdir())
    payload = sum(map(len, kept.values()))
    assert size < payload * 1.2 + (1 << 26)
