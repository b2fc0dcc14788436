"""Directories whose entries survive a power loss."""

from __future__ import annotations

import os
from pathlib import Path


def make_directory(path: Path, *, mode: int = 0o700) -> None:
    """Make a directory durably, for its owner only, and the usual way its parents. Raises OSError."""
    if not path.is_dir():
        make_directory(path.parent, mode=0o777)
        path.mkdir(mode=mode, exist_ok=True)
        sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make new files, renames and removals in a directory durable. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
