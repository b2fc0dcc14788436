"""kill -9 at random moments of puts and deletes: what was acknowledged is there, and nothing is ever wrong.

PEERSHELF_KILL_ROUNDS sets how often, for longer runs.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import pytest

from peershelf.blockstore.store.pack import PackStore

ROUNDS = int(os.environ.get("PEERSHELF_KILL_ROUNDS", "15"))
WORKER = Path(__file__).with_name("store_worker.py")


@dataclass
class Ledger:
    """What the worker said about each block, by name."""

    present: set[str] = field(default_factory=set)
    absent: set[str] = field(default_factory=set)
    either: set[str] = field(default_factory=set)
    unsynced: set[str] = field(default_factory=set)

    def note(self, line: bytes) -> None:
        event, *names = line.decode().split()
        if event in ("putting", "deleting"):
            self._move(names, self.either)
        elif event == "put":
            self._move(names, self.present)
            self._sync()
        elif event == "deleted":
            self._move(names, self.absent)
            self._sync()
        elif event == "cached":
            self._move(names, self.unsynced)

    @property
    def all(self) -> set[str]:
        return self.present | self.absent | self.either | self.unsynced

    def settle(self, held: set[str]) -> None:
        """After a restart, what could be either way is known."""
        self.absent = self.all - held
        self.present = held
        self.either.clear()
        self.unsynced.clear()

    def _move(self, names: list[str], target: set[str]) -> None:
        for group in (self.present, self.absent, self.either, self.unsynced):
            group.difference_update(names)
        target.update(names)

    def _sync(self) -> None:
        """A durable put and a deletion make everything durable that was put before."""
        self.present |= self.unsynced
        self.unsynced.clear()


def run_and_kill(directory: Path, number: int, rng: random.Random, ledger: Ledger) -> None:
    """Let the worker do a random amount of work, and kill it in the middle of something."""
    command = [sys.executable, str(WORKER), str(directory), str(number)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        lines = [worker.stdout.readline() for _ in range(rng.randrange(1, 120))]
        # This is no wait for anything: the moment of the kill must not depend on the worker's progress.
        time.sleep(rng.uniform(0, 0.02))
        worker.kill()
        lines += worker.stdout.readlines()
    assert lines[0] == b"open\n"
    for line in lines:
        if line.endswith(b"\n"):
            ledger.note(line)


@pytest.fixture
def worker(load_program: Callable[[Path], ModuleType]) -> ModuleType:
    return load_program(WORKER)


@pytest.mark.timeout(60 + 5 * ROUNDS)
def test_a_killed_store_keeps_its_word(tmp_path: Path, worker: ModuleType) -> None:
    rng = random.Random(ROUNDS)
    ledger = Ledger()
    for number in range(ROUNDS):
        run_and_kill(tmp_path, number, rng, ledger)
        if rng.random() < 0.25:
            (tmp_path / "index.db").unlink()
        blocks = {name: worker.block(name) for name in ledger.all}
        names = {block.cid.multihash: name for name, block in blocks.items()}
        with PackStore.open(tmp_path, segment_size=worker.SEGMENT_SIZE) as store:
            assert store.recovery.damage == ()
            held = {names[key] for key in store.multihashes()}
            assert all(store.get(blocks[name].cid) == blocks[name].data for name in held)
            assert ledger.present <= held
            assert not ledger.absent & held
            assert store.stats().blocks == len(held)
        ledger.settle(held)
    assert len(ledger.present) > ROUNDS
