"""facts.db: what a node knows that cannot be rebuilt from its blocks.

SQLite with `synchronous=FULL`, so a transaction is durable once it is committed. All tables are defined here,
as steps that made a file what it is; docs/store-format.md says what they mean. A new file gets all of them.
An older one is not changed by opening it: bringing a repo from one layout to another is `repo migrate`.

A repo has its file before it has blocks. So where there are blocks and no facts, the facts were lost; the new
file keeps that in mind in its `application_id`, since everything would be garbage by what it says.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from peershelf.blockstore.errors import StoreClosed, StoreError
from peershelf.blockstore.store.directories import sync_directory
from peershelf.blockstore.store.failures import (
    DATABASE_ERRORS,
    check_rights,
    is_damage,
    os_failure,
    sqlite_failure,
)

_STEPS = (
    """
    CREATE TABLE pins (
        cid BLOB PRIMARY KEY,
        recursive INTEGER NOT NULL,
        name TEXT
    ) WITHOUT ROWID;
    """,
    "ALTER TABLE pins ADD COLUMN added INTEGER;",
    "CREATE TABLE unannounced (key BLOB PRIMARY KEY, codec INTEGER NOT NULL) WITHOUT ROWID;",
)

_LOST = 0x6C6F7374
"""The `application_id` of a file that took the place of one that was lost; else it is 0."""


class Facts:
    """The open database, for one thread at a time; others wait their turn.

    Opening makes the file where there is none; `has_blocks` is asked then whether there should have been one.
    Raises StoreError, which says what to do, and StoreFull.
    """

    def __init__(self, path: Path, has_blocks: Callable[[], bool] = lambda: False) -> None:
        self.found_lost = False
        """Whether it was noticed just now that the facts of before are gone."""
        self._path = path
        self._has_blocks = has_blocks
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        _create_file(path)
        check_rights(path)
        with self._failures():
            connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            try:
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
        self._connection = connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Read and change in one transaction: durable when the block ends, undone if it raises."""
        with self.reading() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Read without changing anything."""
        with self._lock, self._failures():
            if self._connection is None:
                raise StoreClosed(f"{self._path.name} is closed")
            yield self._connection

    def are_lost(self) -> bool:
        """Whether facts of before are gone, and nobody has accepted that yet."""
        with self.reading() as connection:
            (mark,) = connection.execute("PRAGMA application_id").fetchone()
        return bool(mark == _LOST)

    def accept_loss(self) -> None:
        """From now on what is here is all there is."""
        with self.transaction() as connection:
            connection.execute("PRAGMA application_id = 0")

    def close(self) -> None:
        """Close the file. Closing twice is harmless."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        # A pin that damage has made invisible would be garbage to the next collection: better not to start.
        if connection.execute("PRAGMA integrity_check(1)").fetchall() != [("ok",)]:
            raise self._damaged()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            self._make_tables(connection)
        elif version > len(_STEPS):
            raise StoreError(
                f"{self._path} has layout {version}, which this program does not know: use a newer one"
            )
        elif version < len(_STEPS):
            raise StoreError(f"{self._path} has an older layout, {version}: run `node repo migrate`")

    def _make_tables(self, connection: sqlite3.Connection) -> None:
        self.found_lost = self._has_blocks()
        mark = f"PRAGMA application_id = {_LOST if self.found_lost else 0};"
        connection.executescript(
            f"BEGIN; {''.join(_STEPS)} {mark} PRAGMA user_version = {len(_STEPS)}; COMMIT;"
        )

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except DATABASE_ERRORS as error:
            if is_damage(error):
                raise self._damaged() from None
            raise sqlite_failure(error, str(self._path)) from None

    def _damaged(self) -> StoreError:
        advice = "restore it from a backup, or move it away and pin again"
        return StoreError(f"{self._path}, which holds the pins, is damaged: {advice}")


def _create_file(path: Path) -> None:
    """Make an empty file that only its owner may read; SQLite gives its other files the same mode."""
    try:
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            sync_directory(path.parent)
    except OSError as error:
        raise os_failure(error, f"creating {path}") from None
