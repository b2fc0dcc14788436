"""Connections to the index for threads that read: each borrows one."""

from __future__ import annotations

import sqlite3
from collections import deque
from contextlib import suppress
from pathlib import Path

from peershelf.blockstore.errors import StoreClosed
from peershelf.blockstore.store.pack import index_file


class Readers:
    """As many as ever read at the same time, opened when they are needed. For any threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: deque[sqlite3.Connection] = deque()
        self._closed = False

    def borrow(self) -> sqlite3.Connection:
        """Return a connection, for one thread at a time. Raises StoreClosed, OSError, sqlite3.Error."""
        try:
            return self._idle.pop()
        except IndexError:
            if self._closed:
                raise StoreClosed("the block store is closed") from None
            return index_file.connect(self._path)

    def give_back(self, connection: sqlite3.Connection) -> None:
        """Let others have it."""
        self._idle.append(connection)
        if self._closed:
            self._close_idle()

    def close(self) -> None:
        """Close every connection, those in use when they come back."""
        self._closed = True
        self._close_idle()

    def _close_idle(self) -> None:
        with suppress(IndexError):
            while True:
                self._idle.pop().close()
