"""Exclusive use of a directory, by a flock on a file in it.

The kernel drops the lock when its holder ends, however it ends, so a lock cannot be stale. The holder's
process number and command stand in the file for the error message of whoever comes second; nothing else
believes them. The file is never removed: a lock on a name that has been unlinked would exclude nobody.
"""

from __future__ import annotations

import errno
import fcntl
import os
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from peershelf.blockstore.errors import StoreError, StoreLocked

_PATIENCE = 0.1
_RETRY_AFTER = 0.005
_MAX_TEXT = 4096
_MAX_SHOWN = 120


class DirectoryLock:
    """A lock that is held from construction to release(), or to the end of a `with` block.

    Raises StoreLocked if somebody else holds it and keeps it, StoreError if the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise StoreError(f"cannot open {path}: {error.strerror}{_advice(error)}") from None
        try:
            _acquire(descriptor, path)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor: int | None = descriptor

    def release(self) -> None:
        """Let others have the directory. Releasing twice is harmless."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _advice(error: OSError) -> str:
    return "; mount it writable, or copy the repo to where it is" if error.errno == errno.EROFS else ""


def _acquire(descriptor: int, path: Path) -> None:
    try:
        taken = _try_for(_PATIENCE, descriptor)
    except OSError as error:
        raise StoreError(f"cannot lock {path}: {error.strerror}") from None
    if not taken:
        raise StoreLocked(f"{path.parent} is in use by {_holder(descriptor)}")
    _sign(descriptor)


def _try_for(seconds: float, descriptor: int) -> bool:
    """Try for a while: whoever only looks if the lock is free holds it for a moment too."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_RETRY_AFTER)
        else:
            return True


def _sign(descriptor: int) -> None:
    # A full disk must not keep anyone from the lock: without the text, the message only says less.
    command = " ".join(sys.orig_argv)
    try:
        os.fchmod(descriptor, 0o600)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n{command}\n".encode(errors="replace")[:_MAX_TEXT], 0)
    except OSError:
        pass


def _holder(descriptor: int) -> str:
    pid, _, command = os.pread(descriptor, _MAX_TEXT, 0).decode(errors="replace").partition("\n")
    if not (pid.isascii() and pid.isdecimal() and len(pid) < 20):
        return "another process"
    shown = "".join(character if character.isprintable() else "?" for character in command.rstrip("\n"))
    if len(shown) > _MAX_SHOWN:
        shown = shown[: _MAX_SHOWN - 3] + "..."
    return f"process {pid} ({shown})" if shown else f"process {pid}"
