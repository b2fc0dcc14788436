"""Small files replaced as a whole: a reader, or a power loss, meets the old text or the new, never a part."""

from __future__ import annotations

import os
from pathlib import Path

from peershelf.blockstore.store.directories import sync_directory


def create_file(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Make a file durably. Raises FileExistsError, and other OSErrors; then there is no new file."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        _write(temporary, data, mode)
        path.hardlink_to(temporary)
    finally:
        temporary.unlink(missing_ok=True)
    sync_directory(path.parent)


def write_file(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Replace the file's content durably. Raises OSError; then the old file still stands."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        _write(temporary, data, mode)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def _write(path: Path, data: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
