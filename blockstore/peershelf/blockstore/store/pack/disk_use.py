"""What the store's files take on disk."""

from __future__ import annotations

import os
from pathlib import Path


def segments_size(directory: Path) -> int:
    """Return the bytes of the segments of the store in `directory`."""
    return _size_of_files(directory / "segments", "")


def index_size(directory: Path) -> int:
    """Return the bytes of the index of the store in `directory`, with all that SQLite has beside it."""
    return _size_of_files(directory, "index.db")


def _size_of_files(folder: Path, prefix: str) -> int:
    with os.scandir(folder) as entries:
        return sum(
            entry.stat().st_size for entry in entries if entry.name.startswith(prefix) and entry.is_file()
        )
