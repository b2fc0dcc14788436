"""Writing whole pages to a file around the kernel's page cache.

Large appends fill the cache with pages that are seldom read soon, and getting those pages costs more than
all the rest of a write. So such pages go to the disk at once (O_DIRECT), from memory that is aligned as disks
want it. This makes nothing durable: the disk's own cache and the file's length need a sync as ever.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from peershelf.blockstore.buffers import Buffers, cut

PAGE = max(4096, os.sysconf("SC_PAGE_SIZE"))
"""What such writes begin and end at, so that they never share a page with what goes through the cache."""

_STAGED = 4 * 1024 * 1024


class Staging:
    """Aligned memory that pieces are gathered in, there from its first use on. For one writer at a time."""

    def __init__(self) -> None:
        self._memory: memoryview | None = None

    def gather(self, buffers: Buffers) -> memoryview:
        """Copy the whole pages at the front of buffers, as many as there is room for, and return them."""
        memory = self._memory
        if memory is None:
            memory = self._memory = _aligned(_STAGED)
        end = 0
        for buffer in buffers:
            piece = min(len(buffer), _STAGED - end)
            memory[end : end + piece] = buffer if piece == len(buffer) else memoryview(buffer)[:piece]
            end += piece
            if end == _STAGED:
                break
        return memory[: end // PAGE * PAGE]


class Bypass:
    """A second descriptor of a file, for whole pages."""

    def __init__(self, path: Path, staging: Staging) -> None:
        self._staging = staging
        self._descriptor = _open_direct(path)

    def write(self, buffers: Buffers, offset: int) -> Buffers:
        """Write pages from the front of the buffers to `offset`, the start of one; return what is left.

        That is less than a page; or more where such writes are not to be had, or fail. Then writing the rest
        in the usual way says why, if there is something to say. A file where one failed gets no more of them.
        """
        rest = buffers
        while self._descriptor is not None and (pages := self._staging.gather(rest)):
            try:
                written = os.pwritev(self._descriptor, [pages], offset)
            except OSError:
                self.close()
                break
            offset += written
            rest = cut(rest, written)[1]
            if written < len(pages):
                break
        return rest

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


def _aligned(size: int) -> memoryview:
    # Here, because only large appends need it and a command without them is faster.
    import mmap

    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    # In huge pages, if there are any: what lies in one piece reaches the disk in fewer requests.
    if hasattr(mmap, "MADV_HUGEPAGE"):
        with suppress(OSError):
            memory.madvise(mmap.MADV_HUGEPAGE)
    return memoryview(memory)
