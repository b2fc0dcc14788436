"""Walks what is to be added: a file, a symbolic link, or a directory with all that is in it.

Theory of operation. A directory is opened once, and its entries are opened relative to it, without following
links. So whoever swaps a file or directory for a link during the walk gets an error, and never a file from
elsewhere into the tree. A directory is listed when the walk has come to it; of the tree, only the names that
are still to come on the way down are held, and a bounded number of the directories there (`directory_stack`).

Imports only what Python has loaded anyway, for commands that talk to a daemon walk too.
"""
# pathlib would cost such a command 7 ms.
# ruff: noqa: PTH116

from __future__ import annotations

import errno
import os
import stat

from peershelf.node.directory_stack import (
    DIRECTORY,
    FILE,
    LINK,
    OTHER,
    Directory,
    DirectoryStack,
    letter_of,
    opened,
    swapped,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Literal

    Kind = Literal["file", "directory", "symlink"]
    Ignored = Callable[[str, bool], bool]
    OnSkipped = Callable[[str, str], object]

MAX_PATH = 4095
"""Bytes of a path in a tree, as of any that the system is given; no tree is deeper than half of it."""

_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
_OTHERS = {stat.S_IFIFO: "named pipe", stat.S_IFSOCK: "socket"}


class Entry:
    """One thing on the way."""

    __slots__ = ("descriptor", "kind", "path", "shown", "status", "target")

    def __init__(
        self,
        path: bytes,
        kind: Kind,
        shown: str,
        status: os.stat_result,
        descriptor: int = -1,
        target: bytes = b"",
    ) -> None:
        self.shown = shown
        """The path with that of the top before it, for messages."""
        self.path = path
        """Relative to the top, with / between names; empty for the top itself."""
        self.kind = kind
        self.status = status
        self.descriptor = descriptor
        """Of a file: open for reading until the next entry is asked for. Of others -1."""
        self.target = target
        """Where a symbolic link points to, as it stands there."""

    def read_small(self, limit: int) -> bytes | None:
        """A file's whole content; None, and nothing is read yet, if that is over `limit` bytes.

        Raises OSError, which names the file.
        """
        if self.status.st_size > limit:
            return None
        try:
            data = os.read(self.descriptor, self.status.st_size + 1)
            while data and (more := os.read(self.descriptor, limit + 1)):
                data += more
                if len(data) > limit:
                    os.lseek(self.descriptor, 0, os.SEEK_SET)
                    return None
        except OSError as error:
            raise OSError(error.errno, error.strerror, self.shown) from None
        return data


class Rules:
    """What of a tree to take.

    `hidden` takes names that begin with a dot too. `dereference` takes what a link points to in its place.
    `ignored(path, is_directory)` says what else to leave out, by the path relative to the top. The top is
    always taken. `on_skipped(path, kind)` is told of what cannot be added, such as a socket.
    """

    __slots__ = ("dereference", "hidden", "ignored", "on_skipped")

    def __init__(
        self,
        *,
        hidden: bool = False,
        dereference: bool = False,
        ignored: Ignored | None = None,
        on_skipped: OnSkipped | None = None,
    ) -> None:
        self.hidden = hidden
        self.dereference = dereference
        self.ignored = ignored
        self.on_skipped = on_skipped


def walk(top: str, rules: Rules) -> Generator[Entry, None, None]:
    """Yield the top and what is below it: a directory before its entries, these by the bytes of their names.

    Close the generator if it is not exhausted. Raises OSError, which names the file: one that cannot be read,
    has gone or was swapped, a link to a directory that it is in, too long a path.
    """
    walker = _Walker(top, rules)
    try:
        entry = walker.open_top()
        while True:
            if entry is not None:
                try:
                    yield entry
                finally:
                    if entry.descriptor >= 0:
                        os.close(entry.descriptor)
            directory = walker.way.last
            if directory is None:
                return
            entry = walker.next(directory)
    finally:
        walker.way.close()


class _Walker:
    """Where the walk is, and what it takes along."""

    def __init__(self, top: str, rules: Rules) -> None:
        self._top = top
        self._rules = rules
        self.way = DirectoryStack()

    def open_top(self) -> Entry | None:
        try:
            status = os.stat(self._top, follow_symlinks=self._rules.dereference)
            return self._open(None, os.fsencode(self._top), letter_of(status), b"")
        except OSError as error:
            raise self._named(error, b"") from None

    def next(self, directory: Directory) -> Entry | None:
        """The next entry; None if it is none to be had, or if that was the end of the directory."""
        path = directory.path
        try:
            name, letter = directory.next_name()
            if not name:
                self.way.leave()
                return None
            if name.startswith(b".") and not self._rules.hidden:
                return None
            path = path + b"/" + name if path else name
            if len(path) > MAX_PATH:
                raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
            return self._open(directory.descriptor, name, letter, path)
        except OSError as error:
            raise self._named(error, path) from None

    def _open(self, at: int | None, name: bytes, letter: bytes, path: bytes) -> Entry | None:
        follow = self._rules.dereference and (at is None or letter == LINK)
        if follow or letter == OTHER:
            status = os.stat(name, dir_fd=at)
            letter = letter_of(status)
        if path and self._is_ignored(path, is_directory=letter == DIRECTORY):
            return None
        if letter == FILE:
            return self._open_file(at, name, path, follow=follow)
        if letter == DIRECTORY:
            status = os.fstat(self.way.enter(at, name, path, follow=follow).descriptor)
            return Entry(path, "directory", self._shown(path), status)
        if letter == LINK:
            status = os.stat(name, dir_fd=at, follow_symlinks=False)
            target = os.readlink(name, dir_fd=at)
            return Entry(path, "symlink", self._shown(path), status, target=target)
        self._skip(path, status)
        return None

    def _is_ignored(self, path: bytes, *, is_directory: bool) -> bool:
        ignored = self._rules.ignored
        return ignored is not None and ignored(os.fsdecode(path), is_directory)

    def _open_file(self, at: int | None, name: bytes, path: bytes, *, follow: bool) -> Entry:
        descriptor = opened(name, _READ, at, follow=follow)
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            os.close(descriptor)
            raise swapped()
        return Entry(path, "file", self._shown(path), status, descriptor)

    def _skip(self, path: bytes, status: os.stat_result) -> None:
        if self._rules.on_skipped is not None:
            kind = _OTHERS.get(stat.S_IFMT(status.st_mode), "device")
            self._rules.on_skipped(self._shown(path), kind)

    def _shown(self, path: bytes) -> str:
        return f"{self._top.rstrip('/')}/{os.fsdecode(path)}" if path else self._top

    def _named(self, error: OSError, path: bytes) -> OSError:
        return OSError(error.errno, error.strerror, self._shown(path))
