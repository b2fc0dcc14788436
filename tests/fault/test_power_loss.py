"""Power losses at any moment of a real process' work: nothing that was acknowledged is lost, block or pin.

The writes and syncs of the store and of SQLite are recorded below the C library (powerloss/recorder.c), and
replayed into every state that a disk may be in (powerloss/disk.py). PEERSHELF_POWER_LOSSES sets how many.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import workload
from disk import Disk, Forget
from recording import Op, build_recorder, environment, read

from peershelf.blockstore.errors import BlockNotFound
from peershelf.blockstore.pins import Pins
from peershelf.blockstore.store.pack import PackStore

HERE = Path(__file__).with_name("powerloss")
LOSSES = int(os.environ.get("PEERSHELF_POWER_LOSSES", "60"))
SEEDS = (1, 2, 3)
TRIES = 150


@dataclass
class Promises:
    """What the marks up to some moment say of each name."""

    present: set[str] = field(default_factory=set)
    unsynced: set[str] = field(default_factory=set)
    absent: set[str] = field(default_factory=set)
    either: set[str] = field(default_factory=set)
    pinned: set[str] = field(default_factory=set)
    unpinned: set[str] = field(default_factory=set)

    def note(self, line: str) -> None:
        event, *names = line.split()
        match event:
            case "putting" | "deleting" | "collecting":
                self._move(names, self.either)
            case "put":
                self._move(names, self.present)
                self._sync()
            case "cached":
                self._move(names, self.unsynced)
            case "deleted":
                self._move(names, self.absent)
                self._sync()
            case "collected" | "synced":
                self._sync()
            case "pinning" | "unpinning":
                self.pinned.difference_update(names)
                self.unpinned.difference_update(names)
            case "pinned":
                self.pinned.update(names)
            case "unpinned":
                self.unpinned.update(names)

    def _move(self, names: list[str], target: set[str]) -> None:
        for group in (self.present, self.unsynced, self.absent, self.either):
            group.difference_update(names)
        target.update(names)

    def _sync(self) -> None:
        self.present |= self.unsynced
        self.unsynced.clear()


@dataclass(frozen=True)
class Recording:
    ops: list[Op]

    def after(self, moment: int, forget: Forget = lambda op: False) -> Disk:
        """The disk at a moment, counted in calls."""
        return Disk([op for op in self.ops[:moment] if op.kind != "mark"], forget)

    def promises(self, moment: int) -> Promises:
        """What had been said by then."""
        found = Promises()
        for op in self.ops[:moment]:
            if op.kind == "mark":
                found.note(op.data.decode())
        return found


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_recorder(tmp_path_factory.mktemp("recorder"))


@pytest.fixture(scope="module")
def recordings(recorder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Recording, Path]]:
    return [_record(recorder, tmp_path_factory.mktemp("recorded"), seed) for seed in SEEDS]


def _record(recorder: Path, directory: Path, seed: int) -> tuple[Recording, Path]:
    root, log, marks = directory / "root", directory / "log", directory / "marks"
    variables = environment(recorder, root, log=log, marks=marks)
    command = [sys.executable, str(HERE / "workload.py"), str(root), str(marks), str(seed)]
    subprocess.run(command, env={**os.environ, **variables}, check=True)
    return Recording(read(log, root)), root


@pytest.fixture
def new_directory(tmp_path: Path) -> Callable[[], Path]:
    numbers = iter(range(1_000_000))

    def make() -> Path:
        path = tmp_path / f"{next(numbers)}"
        path.mkdir()
        return path

    return make


def test_the_recording_is_complete(
    recordings: list[tuple[Recording, Path]], new_directory: Callable[[], Path]
) -> None:
    """Replayed to its end, it gives the very files that the process left."""
    for recording, root in recordings:
        directory = new_directory()
        recording.after(len(recording.ops)).write_whole(directory)
        real, replayed = _files(root), _files(directory)
        assert real.keys() == replayed.keys()
        assert [name for name in real if real[name] != replayed[name]] == []


def _files(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file() and path.name != "lock" and not path.name.endswith("-shm")
    }


def _check(directory: Path, promises: Promises) -> None:
    """Raise AssertionError where a promise is not kept."""
    names = promises.present | promises.absent | promises.either | promises.unsynced
    blocks = {name: workload.block(name) for name in names}
    for _ in range(2):
        with (
            PackStore.open(directory, segment_size=workload.SEGMENT_SIZE) as store,
            Pins(directory / "facts.db") as pins,
        ):
            for name, block in blocks.items():
                try:
                    held = store.get(block.cid)
                except BlockNotFound:
                    assert name not in promises.present, f"{name} is lost"
                else:
                    assert held == block.data, f"{name} has other bytes"
                    assert name not in promises.absent, f"{name} is back"
            kept = {pin.cid for pin in pins.list()}
            assert {workload.block(name).cid for name in promises.pinned} <= kept, "a pin is lost"
            assert kept.isdisjoint({workload.block(name).cid for name in promises.unpinned}), "a pin is back"
            new = workload.block(f"new {directory}")
            store.put_many([new])
            assert store.get(new.cid) == new.data


def _lose(
    recording: Recording, directory: Path, rng: random.Random, forget: Forget = lambda op: False
) -> Promises:
    """Write what is left after a loss at a random moment, perhaps with an index of before, or none."""
    moment = rng.randrange(1, len(recording.ops) + 1)
    recording.after(moment, forget).write_after_loss(directory, rng)
    index = rng.random()
    if index < 0.3:
        _remove_index(directory)
    if index < 0.15:
        earlier = directory / "earlier"
        recording.after(rng.randrange(moment), forget).write_after_loss(earlier, rng)
        for path in earlier.glob("index.*"):
            path.rename(directory / path.name)
    return recording.promises(moment)


def _remove_index(directory: Path) -> None:
    for path in directory.glob("index.*"):
        path.unlink()


@pytest.mark.timeout(60 + LOSSES)
def test_nothing_acknowledged_is_lost(
    recordings: list[tuple[Recording, Path]], new_directory: Callable[[], Path]
) -> None:
    for number in range(LOSSES):
        recording, _ = recordings[number % len(recordings)]
        directory = new_directory()
        promises = _lose(recording, directory, random.Random(number))
        try:
            _check(directory, promises)
        except Exception as error:
            error.add_note(f"power loss {number}")
            raise


def _is_segment(op: Op) -> bool:
    return op.path.endswith(".seg")


SYNCS: dict[str, Forget] = {
    "segments": _is_segment,
    "names of segments": lambda op: op.path == "segments",
    "pins as they are made": lambda op: op.path == "facts.db-wal",
    "pins as they are moved into the database": lambda op: op.path == "facts.db",
    "the name of the pins' database and its log": lambda op: op.path == "",
}


@pytest.mark.parametrize("name", SYNCS)
def test_without_one_of_the_syncs_something_is_lost(
    name: str, recordings: list[tuple[Recording, Path]], new_directory: Callable[[], Path]
) -> None:
    """So these tests would see it if a sync were missing."""
    assert any(op.kind == "sync" and SYNCS[name](op) for recording, _ in recordings for op in recording.ops)

    def losses() -> Iterator[Exception]:
        for number in range(TRIES):
            recording, _ = recordings[number % len(recordings)]
            directory = new_directory()
            try:
                _check(directory, _lose(recording, directory, random.Random(number), SYNCS[name]))
            except Exception as error:
                yield error

    assert next(losses(), None) is not None, f"{TRIES} power losses did not need this sync"
