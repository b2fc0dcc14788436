"""What an archive or a tree on disk is made of."""

from __future__ import annotations

FILE, DIRECTORY, SYMLINK = "file", "directory", "symlink"

NANOSECONDS = 1_000_000_000


class Member:
    """A file, directory or symbolic link; the bytes of a file come separately."""

    __slots__ = ("kind", "mode", "mtime", "path", "size", "target")

    def __init__(
        self,
        path: tuple[bytes, ...],
        kind: str,
        *,
        size: int = 0,
        mode: int | None = None,
        mtime: int | None = None,
        target: bytes = b"",
    ) -> None:
        self.path = path
        """Names from the root of the tree down; () is the root itself."""
        self.kind = kind
        self.size = size
        """Bytes of a file."""
        self.mode = mode
        """Permissions, 0 to 0o7777; None where they are not known."""
        self.mtime = mtime
        """Nanoseconds since 1970; None where they are not known."""
        self.target = target


def shown(name: bytes) -> str:
    """A path as messages show it: printable ASCII, in quotes, and of a long one the end."""
    text = name.decode("utf-8", "surrogateescape")
    return ascii(text if len(text) <= 80 else f"...{text[-77:]}")
