"""Writing whole pages to a file around the kernel's page cache.

Large appends fill the cache with pages that are seldom read soon, and getting those pages costs more than
all the rest of a write. So such pages go to the disk at once (O_DIRECT), from memory that is aligned as disks
want it. This makes nothing durable: the disk's own cache and the file's length need a sync as ever.
"""

from __future__ import annotations

import os
from pathlib import Path

PAGE = max(4096, os.sysconf("SC_PAGE_SIZE"))
"""What such writes begin and end at, so that they never share a page with what goes through the cache."""


class Bypass:
    """A second descriptor of a file, for whole pages."""

    def __init__(self, path: Path) -> None:
        self._descriptor = _open_direct(path)

    def write(self, pages: memoryview, offset: int) -> int:
        """Write pages that begin at one in memory and in the file; return how many bytes of them.

        Fewer than there are where such writes are not to be had, or fail. Then writing the rest in the usual
        way says why, if there is something to say. A file where one failed gets no more of them.
        """
        if self._descriptor is None or not pages:
            return 0
        try:
            return os.pwritev(self._descriptor, [pages], offset)
        except OSError:
            self.close()
            return 0

    def close(self) -> None:
        """Close the descriptor. Closing twice is harmless."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _open_direct(path: Path) -> int | None:
    """Open a file that is there; None where the platform or the file system has no such way to it."""
    flag = getattr(os, "O_DIRECT", None)
    try:
        return None if flag is None else os.open(path, os.O_WRONLY | flag)
    except OSError:
        return None
