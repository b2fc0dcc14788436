"""The way down to where a walk is: directories that are open, each of them opened relative to the one above.

At most `_MAX_OPEN` of them are open at a time: one that was closed is opened again as the `..` of its child,
and must then be the very one that it was. Links are not followed, unless that is asked for.

Imports only what Python has loaded anyway, as `walk` does.
"""

from __future__ import annotations

import errno
import os
import stat

_MAX_OPEN = 32
_LIST = os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY

FILE, DIRECTORY, LINK, OTHER = b"f", b"d", b"l", b"o"
"""Letters of the kinds of entries."""

_LETTERS = {stat.S_IFREG: FILE, stat.S_IFDIR: DIRECTORY, stat.S_IFLNK: LINK}


def letter_of(status: os.stat_result) -> bytes:
    """The letter of what has this status."""
    return _LETTERS.get(stat.S_IFMT(status.st_mode), OTHER)


class Directory:
    """A directory on the way."""

    __slots__ = ("descriptor", "identity", "is_linked", "names", "path")

    def __init__(self, path: bytes, descriptor: int, *, is_linked: bool) -> None:
        self.path = path
        self.descriptor = descriptor
        """-1 while it is closed."""
        self.identity = _identity(os.fstat(descriptor))
        self.is_linked = is_linked
        """Whether a link led here, so that `..` is not the directory above it on the way."""
        self.names: list[bytes] | None = None
        """What is still to come, the last first: each name, a NUL, and the letter of its kind."""

    def next_name(self) -> tuple[bytes, bytes]:
        """The next name, in the order of their bytes, and the letter of its kind; empty at the end.

        Raises OSError.
        """
        if self.names is None:
            with os.scandir(self.descriptor) as found:
                # NUL comes before all bytes of names, so these sort as the names do.
                self.names = sorted((_labelled(entry) for entry in found), reverse=True)
        labelled = self.names.pop() if self.names else b""
        return labelled[:-2], labelled[-1:]

    def close(self) -> None:
        """Close it, if it is open."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


class DirectoryStack:
    """The directories from the top down; the last one is always open."""

    __slots__ = ("_stack",)

    def __init__(self) -> None:
        self._stack: list[Directory] = []

    @property
    def last(self) -> Directory | None:
        """The one in which the walk is; None once it has left the top."""
        return self._stack[-1] if self._stack else None

    def enter(self, at: int | None, name: bytes, path: bytes, *, follow: bool) -> Directory:
        """Open a directory in that of the descriptor `at`, and go into it. Raises OSError.

        With `follow` it may be a link, which must not lead to a directory that it is in.
        """
        directory = Directory(path, opened(name, _LIST, at, follow=follow), is_linked=follow)
        self._stack.append(directory)
        if follow and any(directory.identity == above.identity for above in self._stack[:-1]):
            raise OSError(errno.ELOOP, "the link leads to a directory that it is in")
        if len(self._stack) > _MAX_OPEN and not self._stack[-_MAX_OPEN].is_linked:
            self._stack[-_MAX_OPEN - 1].close()
        return directory

    def leave(self) -> None:
        """Go up from a directory that is done. Raises OSError if the one above is no longer there."""
        left = self._stack.pop()
        try:
            if self._stack and self._stack[-1].descriptor < 0:
                above = self._stack[-1]
                above.descriptor = os.open("..", _LIST, dir_fd=left.descriptor)
                if _identity(os.fstat(above.descriptor)) != above.identity:
                    raise OSError(errno.ESTALE, "it was moved while it was being added")
        finally:
            left.close()

    def close(self) -> None:
        """Close everything."""
        while self._stack:
            self._stack.pop().close()


def opened(name: bytes, flags: int, at: int | None, *, follow: bool) -> int:
    """Open `name` in the directory of the descriptor `at`; without `follow` only what is no link.

    Raises OSError.
    """
    try:
        return os.open(name, flags if follow else flags | os.O_NOFOLLOW, dir_fd=at)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR) and not follow:
            raise swapped() from None
        raise


def swapped() -> OSError:
    """What is raised where something is not what it was when its directory was listed."""
    return OSError(errno.ESTALE, "it was replaced by something else while it was being added")


def _labelled(entry: os.DirEntry[str]) -> bytes:
    name = os.fsencode(entry.name) + b"\0"
    if entry.is_file(follow_symlinks=False):
        return name + FILE
    if entry.is_dir(follow_symlinks=False):
        return name + DIRECTORY
    return name + (LINK if entry.is_symlink() else OTHER)


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
