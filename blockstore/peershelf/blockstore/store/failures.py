"""Operating system's and SQLite's errors, put in one line that says what to do."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path

from peershelf.blockstore.errors import StoreError, StoreFull

DATABASE_ERRORS = (sqlite3.Error, UnicodeDecodeError)
"""What using a database can raise: messages quote what is in a damaged one, which need not be UTF-8."""

# EFBIG is how a limit on file sizes shows itself.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# Our statements are fixed, so an error in one of them means that the tables are not ours any more.
_DAMAGED = frozenset(
    {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT, sqlite3.SQLITE_ERROR}
)


def os_failure(error: OSError, action: str) -> StoreError:
    """Make the store's error of an operating system's one; `action` reads "writing to FILE"."""
    if error.errno in _FULL:
        return StoreFull(f"no space left while {action}: free some space and try again")
    return StoreError(f"{action} failed: {error.strerror or type(error).__name__}")


def sqlite_failure(error: Exception, name: str) -> StoreError:
    """Make the store's error of SQLite's; `name` is the database's."""
    code = _code(error)
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE):
        return StoreFull(f"no space left while writing to {name}: free some space and try again")
    if code == sqlite3.SQLITE_IOERR_WRITE:
        # SQLite does not tell a quota from a broken disk.
        return StoreError(f"writing to {name} failed: check the quota, the limit on file sizes and the disk")
    return StoreError(f"using {name} failed: {error}")


def check_rights(database: Path) -> None:
    """Raise StoreError if one of a database's files may not be used.

    SQLite would tell only when it writes. By then it may have made files beside a database that is read-only,
    which are read-only too and are in the way once the database itself may be written again.
    """
    for suffix in ("", "-wal", "-shm"):
        path = database.with_name(database.name + suffix)
        if path.exists() and not os.access(path, os.R_OK | os.W_OK):
            raise StoreError(f"{path} may not be read and written: {os.strerror(errno.EACCES)}")


def is_damage(error: Exception) -> bool:
    """Whether the error says that the database file's content is not what we and SQLite wrote."""
    return isinstance(error, UnicodeDecodeError) or _code(error) & 0xFF in _DAMAGED


def _code(error: Exception) -> int:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return code if isinstance(code, int) else sqlite3.SQLITE_ERROR
