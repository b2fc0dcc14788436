"""Migrating a repo: offline, in this process, and so that it may end at any moment.

Theory of operation. All that a step changes is facts.db, and it changes a copy. The copy takes the place of
the file by a rename, and only then is `version` written. Where a repo stands follows from these two alone:
facts.db tells its own layout, so one that is ahead of `version`, or behind, is where an earlier run ended,
and this run goes on. The file as it was is kept in `migration/`, for whoever has to look into it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from peershelf.blockstore.store.directories import make_directory, sync_directory
from peershelf.blockstore.store.failures import DATABASE_ERRORS, os_failure, sqlite_failure
from peershelf.blockstore.store.lock import DirectoryLock
from peershelf.node import durable
from peershelf.node.errors import RepoError
from peershelf.node.migrations import STEPS

OLDEST = 1
NEWEST = OLDEST + len(STEPS)


@dataclass(frozen=True, slots=True)
class Migrated:
    """From which layout to which."""

    before: int
    after: int


def migrate(
    repo: Path,
    target: int = NEWEST,
    *,
    dry_run: bool = False,
    tell: Callable[[str], None] = lambda line: None,
) -> Migrated:
    """Bring the repo to a layout, and return where it was and is. `tell` is told what each step does.

    With `dry_run` nothing is changed. Whatever ends it, the repo is whole, and another run goes on or back.
    Raises RepoError, StoreLocked if the repo is in use, StoreFull and StoreError.
    """
    if not OLDEST <= target <= NEWEST:
        raise RepoError(f"there is no layout {target}; this program knows {OLDEST} to {NEWEST}")
    try:
        with DirectoryLock(repo / "lock"):
            return _Migration(repo, tell, dry_run=dry_run).run(target)
    except OSError as error:
        raise os_failure(error, f"migrating {repo}") from None
    except DATABASE_ERRORS as error:
        raise sqlite_failure(error, str(repo / "facts.db")) from None


class _Migration:
    def __init__(self, repo: Path, tell: Callable[[str], None], *, dry_run: bool) -> None:
        self._repo = repo
        self._facts = repo / "facts.db"
        self._tell = tell
        self._dry_run = dry_run

    def run(self, target: int) -> Migrated:
        before = read_version(self._repo)
        if not OLDEST <= before <= NEWEST:
            raise RepoError(
                f"the repo has layout {before}, which this program does not know: use a newer one"
            )
        layout = _layout_of(self._facts) or target
        while layout != target:
            layout = self._step(layout, up=layout < target)
        if not self._dry_run and read_version(self._repo) != target:
            durable.write_file(self._repo / "version", f"{target}\n".encode())
        return Migrated(before, target)

    def _step(self, layout: int, *, up: bool) -> int:
        step = STEPS[layout - OLDEST - (0 if up else 1)]
        after = layout + (1 if up else -1)
        self._tell(f"layout {layout} to {after}: {step.summary if up else 'undone: ' + step.summary}")
        if not self._dry_run:
            self._replace_facts(layout, after, step.up if up else step.down)
        return after

    def _replace_facts(self, layout: int, after: int, statements: str) -> None:
        _empty_log(self._facts)
        folder = self._repo / "migration"
        make_directory(folder)
        kept = folder / f"facts-{layout}.db"
        changed = folder / "changed.db"
        _copy(self._facts, kept)
        _copy(self._facts, changed)
        with closing(sqlite3.connect(changed, isolation_level=None)) as connection:
            connection.executescript(f"BEGIN; {statements} PRAGMA user_version = {after}; COMMIT;")
        _sync(changed)
        # The log is empty, and must not be taken for that of the new file.
        for suffix in ("-wal", "-shm"):
            self._facts.with_name(self._facts.name + suffix).unlink(missing_ok=True)
        sync_directory(self._repo)
        changed.replace(self._facts)
        sync_directory(folder)
        sync_directory(self._repo)


def read_version(repo: Path) -> int:
    """Return the number in the repo's `version`. Raises RepoError."""
    try:
        text = (repo / "version").read_text("ascii", errors="replace").strip()
    except FileNotFoundError:
        raise RepoError(f"no repo at {repo}: make one with `node init`") from None
    if not text.isascii() or not text.isdecimal():
        raise RepoError(f"{repo / 'version'} holds no number; the repo is damaged")
    return int(text)


def _empty_log(facts: Path) -> None:
    """Bring what is in the database's log into its file, which then has everything. Raises RepoError."""
    with closing(sqlite3.connect(facts, isolation_level=None)) as connection:
        busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise RepoError(f"another program has {facts} open: end it first")


def _layout_of(facts: Path) -> int | None:
    """Return the layout of the database; None where there is none yet, or one without anything in it."""
    if not facts.exists():
        return None
    with closing(sqlite3.connect(facts, isolation_level=None)) as connection:
        if connection.execute("PRAGMA integrity_check(1)").fetchall() != [("ok",)]:
            raise RepoError(f"{facts}, which holds the pins, is damaged: restore it from a backup first")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0 and not connection.execute("SELECT 1 FROM sqlite_schema").fetchall():
            return None
    if not OLDEST <= version <= NEWEST:
        raise RepoError(f"{facts} has layout {version}, which this program does not know: use a newer one")
    return int(version)


def _copy(source: Path, target: Path) -> None:
    """Copy a database with what is in its log, durably, all or nothing; it needs no log of its own."""
    unfinished = target.with_name(target.name + ".tmp")
    for suffix in ("", "-wal", "-shm", "-journal"):
        unfinished.with_name(unfinished.name + suffix).unlink(missing_ok=True)
    unfinished.touch(0o600)
    with (
        closing(sqlite3.connect(source, isolation_level=None)) as old,
        closing(sqlite3.connect(unfinished, isolation_level=None)) as new,
    ):
        old.backup(new)
        new.execute("PRAGMA journal_mode = DELETE")
    _sync(unfinished)
    unfinished.replace(target)
    sync_directory(target.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
