"""Two areas of aligned memory, of which one is filled while a thread writes the other to the disk.

So an append copies its next bytes, and whoever appends makes the next ones, while the disk is busy.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from peershelf.blockstore.buffers import Buffers, cut
from peershelf.blockstore.store.pack.bypass import PAGE

if TYPE_CHECKING:
    from concurrent.futures import Future

AREA = 6 * 1024 * 1024
"""Bytes of one of the two: a batch of an import with its records' heads, in whole huge pages."""

Write = Callable[[memoryview, int], "Future[None] | None"]
"""Writes a piece to an offset, or begins to: then the memory is free again once that is done."""


class Staging:
    """The two areas, there from their first use on. For one writer at a time."""

    def __init__(self) -> None:
        self._areas: list[memoryview] = []
        self._writing: list[Future[None] | None] = [None, None]

    def write(self, buffers: Buffers, offset: int, write: Write) -> None:
        """Copy buffers piece by piece and have each written, waiting for its area.

        A piece lies in memory as in the file, in relation to pages, and all but the last one end with a page.
        """
        if not self._areas:
            self._areas = [_aligned(AREA) for _ in self._writing]
        rest = buffers
        while rest:
            area = self._free_area()
            start = offset % PAGE
            end = _fill(self._areas[area], start, rest)
            self._writing[area] = write(self._areas[area][start:end], offset)
            offset += end - start
            rest = cut(rest, end - start)[1]

    def _free_area(self) -> int:
        """Wait for one that is not being written; the first where both are free, to touch less memory."""
        for area, writing in enumerate(self._writing):
            if writing is None or writing.done():
                return area
        # Here, because a command that only reads is faster without it.
        from concurrent.futures import FIRST_COMPLETED, wait

        busy = [writing for writing in self._writing if writing is not None]
        done, _ = wait(busy, return_when=FIRST_COMPLETED)
        return next(area for area, writing in enumerate(self._writing) if writing in done)


def _fill(area: memoryview, start: int, buffers: Buffers) -> int:
    """Copy as much of buffers to `start` and behind as there is room for; return where it ends."""
    end = start
    for buffer in buffers:
        piece = min(len(buffer), len(area) - end)
        area[end : end + piece] = buffer if piece == len(buffer) else memoryview(buffer)[:piece]
        end += piece
        if end == len(area):
            break
    return end


def _aligned(size: int) -> memoryview:
    # Here, because only large appends need it and a command without them is faster.
    import mmap

    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    # In huge pages, if there are any: what lies in one piece reaches the disk in fewer requests.
    if hasattr(mmap, "MADV_HUGEPAGE"):
        with suppress(OSError):
            memory.madvise(mmap.MADV_HUGEPAGE)
    return memoryview(memory)
