"""Where denylists lie: files named *.deny in the repo, in the user's configuration, and in the system's.

Imported by every command without a daemon, so it imports nothing that those do not have already.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

Signature = tuple[int, int, int, int]
"""What changes when a file does: times of its content and its status, size, inode."""

_CONFIG_HOME = "$XDG_CONFIG_HOME"


def directories(repo: Path, settings: Sequence[str]) -> list[str]:
    """The directories in which to look; those that come later have the last word."""
    config_home = os.environ.get("XDG_CONFIG_HOME", "").strip() or "~/.config"
    named = [
        config_home + text.removeprefix(_CONFIG_HOME) if text.startswith(_CONFIG_HOME) else text
        for text in settings
    ]
    return [*map(os.path.expanduser, named), os.fspath(repo / "denylists")]


def find_files(
    directories: Iterable[str], unreadable: Callable[[str, OSError], object]
) -> dict[str, Signature]:
    """The lists by their paths, in the order in which they count: of one directory, by their names.

    A directory that is not there has none; one that cannot be read is told of. Blocking.
    """
    found: dict[str, Signature] = {}
    for directory in directories:
        try:
            with os.scandir(directory) as entries:
                paths = sorted(entry.path for entry in entries if entry.name.endswith(".deny"))
            found |= {path: signature for path in paths if (signature := _signature(path)) is not None}
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            unreadable(directory, error)
    return found


def _signature(path: str) -> Signature | None:
    """None for what is gone already, or is no file."""
    try:
        status = os.stat(path)  # noqa: PTH116 -- see above
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino
