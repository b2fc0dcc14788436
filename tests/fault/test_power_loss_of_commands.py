"""Power losses at any moment of whole commands: the repo, its key, its settings and what was added are there.

As test_power_loss.py, one level up: the repo's directory is made by the program too, below one that is there.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from disk import Disk, Forget
from recording import Op, build_recorder, environment, read

LOSSES = int(os.environ.get("PEERSHELF_POWER_LOSSES", "60")) // 10
TRIES = 25
REPO = "outer/shelf"


@dataclass(frozen=True)
class Done:
    """A command, and how many calls had been recorded when it had ended."""

    moment: int
    out: str


@dataclass(frozen=True)
class History:
    ops: list[Op]
    init: Done
    added: dict[Path, Done]
    setting: Done
    collected: Done

    def lose(
        self, directory: Path, rng: random.Random, moments: range, forget: Forget = lambda op: False
    ) -> int:
        """Write what a loss at one of the moments leaves; return which."""
        moment = rng.choice(moments)
        Disk(self.ops[:moment], forget).write_after_loss(directory, rng)
        return moment


MakeShelf = Callable[[Path], Any]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory, shelf_at: MakeShelf) -> History:
    directory, root = tmp_path_factory.mktemp("history"), tmp_path_factory.mktemp("root")
    library, log, rng = build_recorder(directory), directory / "log", random.Random(5)
    shelf = type(shelf_at(directory / "other"))(root / REPO)
    shelf.environment |= environment(library, root, log=log)

    def run(*words: str | Path) -> Done:
        out = shelf.text(*words)
        return Done(len(read(log, root)), out)

    files = [directory / f"{number}" for number in range(4)]
    for path in files:
        path.write_bytes(rng.randbytes(rng.choice((500, 300_000))))
    init = run("init", "--profile", "test")
    added = {path: run("add", "-Q", path) for path in files[:2]}
    run("add", "-Q", "--pin=false", files[2])
    setting = run("config", "set", "Swarm.UploadRate", "20MB/s")
    collected = run("repo", "gc", "-q")
    added[files[3]] = run("add", "-Q", files[3])
    return History(read(log, root), init, added, setting, collected)


def _check(node: Any, history: History, moment: int) -> None:
    """Raise AssertionError where something is gone that a command had reported by then."""
    if moment < history.init.moment:
        # Not promised yet; it must be there as a whole, or be made anew.
        done = node.run("init", "--profile", "test")
        assert done.returncode == 0 or b"already" in done.stderr, done.stderr
        assert "ID" in node.text("--json", "--offline", "id")
        return
    assert node.text("--json", "--offline", "id").find(_peer(history)) > 0
    if moment >= history.setting.moment:
        assert "20MB/s" in node.text("config", "get", "Swarm.UploadRate")
    kept = {path: done.out for path, done in history.added.items() if done.moment <= moment}
    if kept:
        assert node("--offline", "cat", *kept.values()) == b"".join(path.read_bytes() for path in kept)
    assert set(kept.values()) <= set(node.text("pin", "ls", "-q").splitlines())
    assert node.text("repo", "verify").endswith("all sound")


def _peer(history: History) -> str:
    return history.init.out.split("peer identity: ")[1].split()[0]


@pytest.fixture
def node_at(shelf_at: MakeShelf, tmp_path: Path) -> MakeShelf:
    """The program on a repo that is there already."""
    kind = type(shelf_at(tmp_path / "other"))
    return lambda path: kind(path / REPO)


@pytest.mark.timeout(60 + 10 * LOSSES)
def test_nothing_that_a_command_reported_is_lost(
    history: History, node_at: MakeShelf, tmp_path: Path
) -> None:
    for number in range(LOSSES):
        directory, rng = tmp_path / f"{number}", random.Random(number)
        # Every other one in or just after init, which is short but makes everything.
        last = len(history.ops) if number % 2 else history.init.moment + 5
        moment = history.lose(directory, rng, range(1, last + 1))
        try:
            _check(node_at(directory), history, moment)
        except AssertionError as error:
            error.add_note(f"power loss {number}, after {moment} calls")
            raise


def test_no_repo_is_left_without_what_its_version_vouches_for(history: History, tmp_path: Path) -> None:
    """Neither `init` nor any other command would work there."""
    for moment in range(1, history.init.moment + 1):
        for seed in range(20):
            directory = tmp_path / f"{moment}-{seed}"
            history.lose(directory, random.Random(seed), range(moment, moment + 1))
            repo = directory / REPO
            if (repo / "version").exists():
                assert (repo / "config.toml").stat().st_size
                assert (repo / "identity.key").stat().st_size


SYNCS: dict[str, Forget] = {
    "the repo's own name": lambda op: op.path == "outer",
    "the names in the repo": lambda op: op.path == REPO,
    "the key": lambda op: op.path.endswith("identity.key"),
    "settings": lambda op: "config.toml" in op.path,
    "the layout's version": lambda op: "/version" in op.path,
}


@pytest.mark.parametrize("name", SYNCS)
def test_without_one_of_the_syncs_a_repo_is_lost(
    name: str, history: History, node_at: MakeShelf, tmp_path: Path
) -> None:
    """So these tests would see it if a sync were missing."""
    assert any(op.kind == "sync" and SYNCS[name](op) for op in history.ops)
    done = history.setting if name == "settings" else history.init
    moments = range(done.moment, done.moment + 1)
    for number in range(TRIES):
        directory = tmp_path / f"{number}"
        moment = history.lose(directory, random.Random(number), moments, SYNCS[name])
        try:
            _check(node_at(directory), history, moment)
        except AssertionError:
            return
    pytest.fail(f"{TRIES} power losses did not need this sync")
