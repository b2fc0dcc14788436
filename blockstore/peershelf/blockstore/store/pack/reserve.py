"""The reserve: a file of nothing that keeps some space, so that there is room to make room on a full disk.

A collection needs some before it gives any back: for the index's own log, and for the copies of what stays.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from peershelf.blockstore.errors import StoreFull

_SMALLEST_STORE = 4 << 20
_SMALLEST = 3 << 20
_LARGEST = 16 << 20
_SHARE = 64
_PLENTY = 4
_GROWTH = 4


class Reserve:
    """The file `reserve` beside the index. Making it never fails: without one, all else still works."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "reserve"
        self._until_renewal = _SMALLEST_STORE

    @property
    def size(self) -> int:
        """Bytes that are kept now."""
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

    def release(self) -> bool:
        """Give the space away. Returns whether there was any."""
        had_some = self.size > 0
        try:
            self._path.unlink(missing_ok=True)
        except OSError:
            return False
        return had_some

    def check(self, added: int, stored: Callable[[], int]) -> None:
        """Raise StoreFull if `added` bytes would take the space that was kept until it was given away.

        Else the next process might not even find room to open the store.
        """
        if not added or self.size:
            return
        wanted = _wanted(stored())
        if wanted and free_space(self._path.parent) < wanted + added:
            raise StoreFull(
                "no space left but what a garbage collection needs: "
                "free some, or run `node repo gc`, and try again"
            )

    def grow(self, added: int, stored: Callable[[], int]) -> None:
        """Note that `added` bytes came to the store, and renew the reserve once that makes a difference.

        A disk may be filled by one long add. `stored` is asked for the bytes of all segments then.
        """
        self._until_renewal -= added
        if self._until_renewal <= 0:
            self.renew(stored())

    def renew(self, stored: int) -> None:
        """Keep as much as befits a store whose segments have `stored` bytes, if there is plenty of space."""
        wanted = _wanted(stored)
        self._until_renewal = max(_SMALLEST_STORE, stored // _GROWTH)
        if wanted <= self.size <= 2 * wanted:
            return
        self.release()
        if wanted and free_space(self._path.parent) >= _PLENTY * wanted:
            try:
                _allocate(self._path, wanted)
            except OSError:
                self.release()


def _wanted(stored: int) -> int:
    """A block's worth at least: what a collection moves in one step; nothing for a store that has little."""
    if stored < _SMALLEST_STORE:
        return 0
    return max(_SMALLEST, min(stored // _SHARE, _LARGEST))


def free_space(directory: Path) -> int:
    """Return the bytes that we may still write to a directory's disk, 0 where that cannot be said."""
    with suppress(OSError):
        status = os.statvfs(directory)
        return status.f_bavail * status.f_frsize
    return 0


def _allocate(path: Path, size: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        # A file with holes would keep nothing; the call writes zeros where the file system cannot allocate.
        os.posix_fallocate(descriptor, 0, size)
    finally:
        os.close(descriptor)
