"""The index as a file: found sound, or replaced by an empty one, before anybody uses it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from peershelf.blockstore.store.failures import (
    DATABASE_ERRORS,
    check_rights,
    is_damage,
    os_failure,
    sqlite_failure,
)
from peershelf.blockstore.store.pack import schema
from peershelf.blockstore.store.pack.seal import Seal

BUSY_TIMEOUT = 5.0
"""Seconds to wait for someone who looks into the database with another program."""


def connect(path: Path) -> sqlite3.Connection:
    """Open a connection that may be handed from thread to thread. Raises sqlite3.Error."""
    return sqlite3.connect(path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False)


def filter_of(path: Path) -> Path:
    """Return where the filter of the index's keys is kept while the index is closed."""
    return path.with_name("index.filter")


def prepare(path: Path, seal: Seal) -> bool:
    """Have an index at `path` that can be used; return whether it had to be made anew, empty.

    Raises StoreFull, StoreError, for instance if the file may not be opened.
    """
    check_rights(path)
    try:
        if path.exists() and _is_sound(path, seal):
            return False
        remove(path, seal)
        # SQLite gives its other files the mode that this one has.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        _create_tables(path)
    except OSError as error:
        raise os_failure(error, f"opening {path}") from None
    except DATABASE_ERRORS as error:
        raise sqlite_failure(error, str(path)) from None
    return True


def remove(path: Path, seal: Seal) -> None:
    """Remove the index and all that belongs to it. Raises OSError."""
    seal.remove()
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm", filter_of(path).name):
        with suppress(FileNotFoundError):
            path.with_name(name).unlink()


def _is_sound(path: Path, seal: Seal) -> bool:
    if seal.is_set and not seal.fits():
        return False
    try:
        with closing(connect(path)) as connection:
            return _has_our_tables(connection) and (seal.is_set or _is_consistent(connection))
    except DATABASE_ERRORS as error:
        if is_damage(error):
            return False
        raise


def _has_our_tables(connection: sqlite3.Connection) -> bool:
    created = {sql for (sql,) in connection.execute(schema.CREATED)}
    rows = connection.execute(schema.SEGMENTS) if created == set(schema.CREATE) else None
    # In a damaged database, a value of any type may stand anywhere.
    return rows is not None and all(
        (type(number), type(mark), type(indexed)) == (int, bytes, int) for number, mark, indexed in rows
    )


def _is_consistent(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute("PRAGMA integrity_check(1)").fetchall() == [("ok",)])


def _create_tables(path: Path) -> None:
    with closing(connect(path)) as connection:
        # So that the file can shrink after a collection; has to be said before there is anything in it.
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN")
        for statement in schema.CREATE:
            connection.execute(statement)
        connection.execute("COMMIT")
