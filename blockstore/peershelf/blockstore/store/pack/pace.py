"""How long SQLite's own log (WAL) may become before it is brought into the index file: a checkpoint.

A checkpoint writes each page that has changed to its place once, and syncs. Keys are random, so in a large
index nearly every row changes a page of its own; the longer the log, the more of its pages it has twice, and
the fewer syncs there are. With SQLite's usual length, puts into a million blocks take 1.5 times as long.
"""

from __future__ import annotations

from pathlib import Path

from peershelf.blockstore.store.pack.reserve import free_space

SHORTEST = 1000
"""Pages, SQLite's own rule: 4 MiB. A collection keeps to it, which must get along with little space."""

_LONGEST = 32_768
_TIMES_THE_INDEX = 4
_PLENTY = 1024 * 1024 * 1024
_MOST_REPLAYED = 1024 * 1024 * 1024


class Pace:
    """Decides it for one index."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._payload = 0

    def pages(self, index_pages: int, payload: int) -> int:
        """Return the pages that the log may have once rows for `payload` more bytes are committed.

        They are four times as many as the index has, up to 128 MiB, and few where the disk has not plenty of
        space. Commits since the last checkpoint may not survive a power loss, and then the segments are read
        from where they began; so each GiB of payload there is a checkpoint in any case.
        """
        self._payload += payload
        if self._payload >= _MOST_REPLAYED:
            self._payload = 0
            return 1
        wanted = _TIMES_THE_INDEX * index_pages
        if wanted <= SHORTEST or is_scarce(self._directory):
            return SHORTEST
        return min(wanted, _LONGEST)


def is_scarce(directory: Path) -> bool:
    """Whether a directory's disk has so little space left that the index should take as little as it can."""
    return free_space(directory) < _PLENTY
