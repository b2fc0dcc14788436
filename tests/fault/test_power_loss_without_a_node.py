"""Power losses at any moment of commands that change a repo without a node: what they reported holds."""

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

from peershelf.blockstore.block import Block
from peershelf.blockstore.car import writer

LOSSES = int(os.environ.get("PEERSHELF_POWER_LOSSES", "60")) // 6
TRIES = 25
REPO = "shelf"
BOOT = "/ip4/192.0.2.1/tcp/4001/p2p/12D3KooWGRUVh5rMFXQUB6wpHPPyYuJq9XjKXb7cCj1e8w1hEMqW"

MakeShelf = Callable[[Path], Any]


@dataclass(frozen=True)
class Promise:
    """What a command reported, and how many calls had been recorded when it had ended."""

    command: str
    moment: int
    holds: Callable[[Any], bool]


@dataclass(frozen=True)
class History:
    ops: list[Op]
    begin: int
    """When there was an empty repo."""
    promises: list[Promise]

    def kept_at(self, moment: int) -> list[Promise]:
        return [promise for promise in self.promises if promise.moment <= moment]

    def lose(
        self, directory: Path, rng: random.Random, moment: int, forget: Forget = lambda op: False
    ) -> None:
        """Write what a loss at the moment leaves."""
        Disk(self.ops[:moment], forget).write_after_loss(directory, rng)


def archive(blocks: list[Block]) -> bytes:
    sections = (part for block in blocks for part in writer.section(block))
    return writer.header([block.cid for block in blocks]) + b"".join(sections)


def is_pinned(shelf: Any, cid: str) -> bool:
    return cid in shelf.text("pin", "ls", "-q").splitlines()


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory, shelf_at: MakeShelf) -> History:
    directory, root = tmp_path_factory.mktemp("history"), tmp_path_factory.mktemp("root")
    library, log, rng = build_recorder(directory), directory / "log", random.Random(7)
    shelf = type(shelf_at(directory / "other"))(root / REPO)
    shelf.environment |= environment(library, root, log=log)
    imported = [Block.create(rng.randbytes(20_000)) for _ in range(40)]
    loose, unpinned, kept = (Block.create(rng.randbytes(30_000)) for _ in range(3))
    put, car, data = directory / "put", directory / "car", directory / "data"
    put.write_bytes(kept.data)
    car.write_bytes(archive(imported))
    data.write_text('{"a": [1, {"b": "text"}]}')
    shelf("init", "--profile", "test")
    begin = len(read(log, root))
    for block, pin in ((loose, ()), (unpinned, ("--pin",))):
        shelf("block", "put", *pin, "-", input=block.data)
    promises: list[Promise] = []

    def run(*words: str | Path, holds: Callable[[Any], bool]) -> str:
        out: str = shelf.text(*words)
        promises.append(Promise(" ".join(map(str, words[:2])), len(read(log, root)), holds))
        return out

    def has(shelf: Any, block: Block) -> bool:
        return bool(shelf("--offline", "block", "get", str(block.cid)) == block.data)

    run("block", "put", "--pin", put, holds=lambda s: has(s, kept) and is_pinned(s, str(kept.cid)))
    run(
        *("dag", "import", car),
        holds=lambda s: all(has(s, block) for block in imported[::13]) and is_pinned(s, str(imported[0].cid)),
    )
    run("block", "rm", str(loose.cid), holds=lambda s: str(loose.cid) not in s.text("refs", "local"))
    run("pin", "rm", str(unpinned.cid), holds=lambda s: not is_pinned(s, str(unpinned.cid)))
    node = run("dag", "put", data, holds=lambda s: bool(s.text("--offline", "dag", "get", node)))
    run("pin", "add", node, holds=lambda s: is_pinned(s, node))
    run("bootstrap", "add", BOOT, holds=lambda s: BOOT in s.text("bootstrap", "list"))
    run("repo", "gc", holds=lambda s: has(s, kept) and has(s, imported[-1]))
    run("repo", "verify", holds=lambda s: True)
    return History(read(log, root), begin, promises)


def check(shelf: Any, promises: list[Promise]) -> None:
    """Raise AssertionError where something is gone that was reported."""
    assert shelf.text("repo", "verify").endswith("all sound")
    for promise in promises:
        assert promise.holds(shelf), promise.command


@pytest.fixture
def shelf_on(shelf_at: MakeShelf, tmp_path: Path) -> MakeShelf:
    """The program on a repo that is there already."""
    kind = type(shelf_at(tmp_path / "other"))
    return lambda path: kind(path / REPO)


@pytest.mark.timeout(60 + 20 * LOSSES)
def test_nothing_that_was_reported_is_lost(history: History, shelf_on: MakeShelf, tmp_path: Path) -> None:
    rng = random.Random(11)
    for number in range(LOSSES):
        directory = tmp_path / f"{number}"
        # Every other one when a command has just ended: it must need nothing of what comes later.
        later = rng.randrange(history.begin, len(history.ops) + 1)
        moment = later if number % 2 else rng.choice(history.promises).moment
        history.lose(directory, random.Random(number), moment)
        try:
            check(shelf_on(directory), history.kept_at(moment))
        except AssertionError as error:
            error.add_note(f"power loss {number}, after {moment} calls")
            raise


SYNCS: dict[str, tuple[str, Forget]] = {
    "blocks that are put": ("block put", lambda op: "segments/" in op.path),
    "blocks that are imported": ("dag import", lambda op: "segments/" in op.path),
    "tombstones": ("block rm", lambda op: "segments/" in op.path),
    "pins": ("pin add", lambda op: "facts.db" in op.path),
    "settings": ("bootstrap add", lambda op: "config.toml" in op.path),
}


@pytest.mark.parametrize("name", SYNCS)
def test_without_one_of_the_syncs_it_would_be(
    name: str, history: History, shelf_on: MakeShelf, tmp_path: Path
) -> None:
    """So these tests would see it if a sync were missing."""
    command, forget = SYNCS[name]
    assert any(op.kind == "sync" and forget(op) for op in history.ops)
    promise = next(one for one in history.promises if one.command == command)
    for number in range(TRIES):
        directory = tmp_path / f"{number}"
        history.lose(directory, random.Random(number), promise.moment, forget)
        try:
            check(shelf_on(directory), history.kept_at(promise.moment))
        except AssertionError:
            return
    pytest.fail(f"{TRIES} power losses did not need this sync")
