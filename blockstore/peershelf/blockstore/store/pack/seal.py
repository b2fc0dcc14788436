"""The seal on a closed index: a checksum of its file, by which damage at rest is found before it is believed.

SQLite notices damage only where it breaks a page's structure, and only when it comes by; a flipped bit in a
key just makes a block invisible. An index that was not closed has no seal, and is checked by SQLite instead.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from zlib_ng.zlib_ng import crc32

from peershelf.blockstore.store.directories import sync_directory

_CHUNK = 1024 * 1024
_SIZE = 9


class Seal:
    """The file `index.sum` beside the index. It must be broken before the index changes."""

    def __init__(self, index: Path) -> None:
        """Look for the seal of the index at this path. Raises OSError."""
        self._index = index
        self._path = index.with_name("index.sum")
        # A power loss may leave it empty; that is none.
        self.is_set = self._path.exists() and self._path.stat().st_size == _SIZE
        """Whether there is a seal, right or wrong."""
        self.text = b""
        """The seal, if the index has been found to fit it."""

    def fits(self) -> bool:
        """Whether the index is what it was when it was sealed. Raises OSError."""
        text = self._path.read_bytes()
        fits = text == _checksum(self._index)
        self.text = text if fits else b""
        return fits

    def remove(self) -> None:
        """Break the seal, durably, because the index is about to change. Raises OSError."""
        if self.is_set:
            self._path.unlink(missing_ok=True)
            sync_directory(self._path.parent)
            self.is_set = False
            self.text = b""

    def set(self) -> None:
        """Seal the index, which nobody has open, unless it is sealed or a part of it is in SQLite's log."""
        wal = self._index.with_name(self._index.name + "-wal")
        # Without a seal the next opening only takes longer, so a full disk is no reason to fail.
        with suppress(OSError):
            if not self.is_set and not wal.exists():
                self._path.touch(0o600)
                text = _checksum(self._index)
                self._path.write_bytes(text)
                self.is_set, self.text = True, text


def _checksum(path: Path) -> bytes:
    checksum = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            checksum = crc32(chunk, checksum)
    return b"%08x\n" % checksum
