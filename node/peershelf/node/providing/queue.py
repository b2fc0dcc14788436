"""What is still to be announced, in a file of its own: it survives kill -9, and its loss costs one sweep.

Blocking; any thread may call. Losing the last changes to a power loss does no harm, since the next sweep
announces all again, so nothing here waits for the disk.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from peershelf.blockstore.closing import Closing
from peershelf.blockstore.errors import StoreClosed
from peershelf.blockstore.store.failures import DATABASE_ERRORS, is_damage, sqlite_failure

_TABLES = """
CREATE TABLE IF NOT EXISTS queue (key BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS marks (name TEXT PRIMARY KEY, value REAL NOT NULL) WITHOUT ROWID;
"""


class ProvideQueue(Closing):
    """Multihashes in no order. Raises StoreError, StoreFull, and StoreClosed after close()."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        try:
            self._connection = _open(path)
        except DATABASE_ERRORS as error:
            if not is_damage(error):
                raise sqlite_failure(error, str(path)) from None
            for suffix in ("", "-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
            self._connection = _open(path)

    def add(self, keys: Iterable[bytes]) -> None:
        """Queue keys; those that are there already stay."""
        self._run("INSERT OR IGNORE INTO queue VALUES (?)", [(key,) for key in keys])

    def remove(self, keys: Iterable[bytes]) -> None:
        """They have been announced."""
        self._run("DELETE FROM queue WHERE key = ?", [(key,) for key in keys])

    def first(self, count: int) -> list[bytes]:
        """Return some keys, which stay."""
        return [key for (key,) in self._ask("SELECT key FROM queue LIMIT ?", (count,))]

    def clear(self) -> int:
        """Empty the queue. Returns how many keys there were."""
        count = len(self)
        self._run("DELETE FROM queue", [()])
        return count

    def __len__(self) -> int:
        return int(self._ask("SELECT count(*) FROM queue", ())[0][0])

    def mark(self, name: str, value: float) -> None:
        """Remember a number."""
        self._run(
            "INSERT INTO marks VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
            [(name, value)],
        )

    def marked(self, name: str) -> float | None:
        """Return a number that was remembered."""
        rows = self._ask("SELECT value FROM marks WHERE name = ?", (name,))
        return float(rows[0][0]) if rows else None

    def close(self) -> None:
        """Close the file. Closing twice is harmless."""
        with self._lock, suppress(sqlite3.Error):
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def _run(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        with self._lock:
            try:
                connection = self._opened()
                connection.execute("BEGIN IMMEDIATE")
                try:
                    connection.executemany(statement, rows)
                    connection.execute("COMMIT")
                finally:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
            except DATABASE_ERRORS as error:
                raise sqlite_failure(error, str(self._path)) from None

    def _ask(self, statement: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        with self._lock:
            try:
                return self._opened().execute(statement, values).fetchall()
            except DATABASE_ERRORS as error:
                raise sqlite_failure(error, str(self._path)) from None

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StoreClosed(f"{self._path.name} is closed")
        return self._connection


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        connection.executescript(_TABLES)
    except BaseException:
        connection.close()
        raise
    path.chmod(0o600)
    return connection
