"""Which names of a directory a file system may be given.

UnixFS itself allows any bytes. Both who reads a tree and who writes it to disk ask here, and the latter
belongs to the command line's fast path, so this imports nothing.
"""

from __future__ import annotations

MAX_NAME = 255
"""Longest name in bytes that the usual file systems take."""

MAX_PATH = 4096
"""Longest path in bytes, below the root of a tree."""

_NEVER_NAMES = frozenset((b"", b".", b".."))


def problem_of_name(name: bytes) -> str | None:
    """Say what is wrong with an entry's name; None if it is safe."""
    if name in _NEVER_NAMES or b"/" in name or b"\0" in name:
        return "is no name for a file"
    if len(name) > MAX_NAME:
        return f"is longer than {MAX_NAME} bytes"
    return None


def problem_of_path(path: tuple[bytes, ...]) -> str | None:
    """Say what is wrong with a path whose names are safe; None if nothing is."""
    if sum(map(len, path)) + len(path) > MAX_PATH:
        return f"has a path longer than {MAX_PATH} bytes"
    return None


def problem_of_target(target: bytes) -> str | None:
    """Say what is wrong with where a symbolic link leads; None if a file system takes it."""
    if not target or b"\0" in target or len(target) > MAX_PATH:
        return "is a symbolic link to what is no path"
    return None
