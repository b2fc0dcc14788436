"""A migration that ends at any of its operations: the repo is at one layout or the other, and whole.

Each call that writes, syncs or renames is made to fail in its turn (powerloss/recorder.c), and the program is
killed at random moments; PEERSHELF_KILL_ROUNDS sets how often.
"""

from __future__ import annotations

import errno
import os
import random
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from recording import build_recorder, environment

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.pins import Pins
from peershelf.blockstore.store.pack import PackStore
from peershelf.node.migrations.runner import NEWEST, migrate

ROUNDS = int(os.environ.get("PEERSHELF_KILL_ROUNDS", "6"))
LAYOUT_1 = Path(__file__).parent.parent / "data" / "layout-1"
TREE = "bafybeifdbn2mkxpfv3atrrm5ck26lomqh3uagejirheu2pebwgxk4ugvwm"


@pytest.fixture
def old(tmp_path: Path, shelf_at: Callable[[Path], Any]) -> Any:
    shelf = shelf_at(tmp_path / "old")
    _renew(shelf)
    return shelf


def _renew(shelf: Any) -> None:
    shutil.rmtree(shelf.path)
    shutil.copytree(LAYOUT_1, shelf.path)


def _check(shelf: Any) -> None:
    """What is left has its pins, and another run finishes."""
    facts = sqlite3.connect(shelf.path / "facts.db")
    assert facts.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert len(facts.execute("SELECT cid FROM pins").fetchall()) == 2
    facts.close()
    assert (shelf.path / "version").read_text() in ("1\n", f"{NEWEST}\n")
    migrate(shelf.path)
    assert (shelf.path / "version").read_text() == f"{NEWEST}\n"
    with Pins(shelf.path / "facts.db") as pins, PackStore.open(shelf.path) as store:
        roots = {pin.cid for pin in pins.list()}
        assert Cid.parse(TREE) in roots
        assert len(roots) == 2
        assert all(store.get(root) for root in roots)


@pytest.mark.slow
def test_any_call_may_fail(old: Any, tmp_path: Path) -> None:
    recorder = build_recorder(tmp_path)
    plain = dict(old.environment)
    failures = 0
    for number in range(1, 29):
        _renew(old)
        code = errno.ENOSPC if number % 2 else errno.EIO
        old.environment = {**plain, **environment(recorder, old.path, fail=f"{number}:{code}")}
        done = old.run("repo", "migrate")
        old.environment = plain
        if done.returncode:
            failures += 1
            assert done.stderr.count(b"\n") == 1, done.stderr
            assert b"internal error" not in done.stderr
        _check(old)
    assert failures > 15


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_killed_at_a_random_moment(old: Any, seed: int) -> None:
    started = time.monotonic()
    old("repo", "migrate")
    usual = time.monotonic() - started
    _renew(old)
    running = old.start("repo", "migrate")
    # This is no wait for anything: the moment must not depend on the program's progress.
    time.sleep(random.Random(seed).uniform(usual * 0.5, usual * 1.05))
    running.send_signal(signal.SIGKILL)
    running.wait()
    _check(old)
