"""kill -9 at random moments of adds and collections at once: what is pinned is there, and no space is lost.

PEERSHELF_KILL_ROUNDS sets how often, for longer runs.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from peershelf.blockstore.store.live import LiveKeys
from peershelf.blockstore.store.pack import PackStore

ROUNDS = int(os.environ.get("PEERSHELF_KILL_ROUNDS", "15"))
WORKER = Path(__file__).with_name("collecting_worker.py")


@pytest.fixture
def worker(load_program: Callable[[Path], ModuleType]) -> ModuleType:
    return load_program(WORKER)


def run_and_kill(directory: Path, number: int, rng: random.Random, pinned: set[str]) -> int:
    """Let the worker do a random amount of work, kill it, and note its pins. Returns collections ended."""
    command = [sys.executable, str(WORKER), str(directory), str(number), *sorted(pinned)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(rng.randrange(1, 250))]
        # This is no wait for anything: the moment of the kill must not depend on the worker's progress.
        time.sleep(rng.uniform(0, 0.02))
        process.kill()
        lines += process.stdout.readlines()
    collections = 0
    for line in lines:
        event, word = line.decode().rstrip("\n").split(" ", 1)
        assert event != "failed", word
        if event == "pinned":
            pinned.add(word)
        elif event == "unpinned":
            pinned.discard(word)
        collections += event == "collected"
    return collections


@pytest.mark.timeout(60 + 5 * ROUNDS)
def test_what_is_pinned_outlives_a_kill_and_what_is_not_gives_its_space_back(
    tmp_path: Path, worker: ModuleType
) -> None:
    rng = random.Random(ROUNDS)
    pinned: set[str] = set()
    collections = 0
    for number in range(ROUNDS):
        collections += run_and_kill(tmp_path, number, rng, pinned)
        lost_index = rng.random() < 0.2
        if lost_index:
            (tmp_path / "index.db").unlink()
        live = {block.cid: block.data for name in pinned for block in worker.blocks(name)}
        keys = {cid.multihash for cid in live}
        with PackStore.open(tmp_path, segment_size=worker.SEGMENT_SIZE) as store:
            assert store.recovery.index_rebuilt is lost_index
            assert store.recovery.damage == ()
            assert {cid: store.get(cid) for cid in live} == live
            if rng.random() < 0.5:
                with store.collecting() as collection:
                    for _ in collection.sweep(LiveKeys(keys)):
                        pass
                assert set(store.multihashes()) == keys
                size = sum(path.stat().st_size for path in (tmp_path / "segments").iterdir())
                assert size - sum(map(len, live.values())) - 60 * len(live) <= worker.SEGMENT_SIZE
            assert {cid: store.get(cid) for cid in live} == live
    assert collections > ROUNDS
