"""Where the timed commands write: a file in memory whose pages are there already.

Hashing a pipe would take one of the cores from what is measured, and a file on disk would measure the disk.
Writing into pages that exist costs a copy, the same for every program, and the hash is checked afterwards.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.process import ProgramFailed

_PIECE = 1 << 20


class Sink:
    """One file that is written over by each command in turn."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.touch()

    @contextmanager
    def expecting(self, size: int, sha256: str) -> Iterator[int]:
        """Give a descriptor to write to; at the end raise ProgramFailed if other bytes came than expected."""
        self._blank(size)
        descriptor = os.open(self._path, os.O_RDWR)
        try:
            yield descriptor
            # The offset is shared with the program that wrote through the same open file.
            written = os.lseek(descriptor, 0, os.SEEK_CUR)
        finally:
            os.close(descriptor)
        if written != size:
            raise ProgramFailed(f"{written:,} bytes came out, not {size:,}")
        if self._digest() != sha256:
            raise ProgramFailed("the bytes that came out have a wrong hash")

    def remove(self) -> None:
        """Free the memory."""
        self._path.unlink(missing_ok=True)

    def _blank(self, size: int) -> None:
        """Zeros in place of what the last command wrote: stale bytes must not pass for output."""
        nothing = bytes(min(size, _PIECE))
        with self._path.open("r+b", buffering=0) as file:
            for start in range(0, size, _PIECE):
                file.write(nothing[: min(_PIECE, size - start)])
            file.truncate()

    def _digest(self) -> str:
        digest = hashlib.sha256()
        with self._path.open("rb", buffering=0) as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
        return digest.hexdigest()
