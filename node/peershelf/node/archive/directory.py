"""A directory on disk, held open, in which things are made by single names.

Every call is relative to the open directory and follows no symbolic link in its last and only name, so
nothing that is planted or swapped meanwhile leads anywhere else.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from contextlib import suppress
from itertools import count, islice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterator

UNFINISHED = b".peershelf-get.part"
"""What a file is called while it is written, with a number behind it where several processes write into one
directory. What an interrupted run left is written over or removed."""

_MOST_WRITERS = 256
_FREE_IN_A_ROW = 3

_OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN_TO_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_OPEN_TO_WRITE = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Busy(OSError):
    """Another process is writing into the directory."""

    def __init__(self) -> None:
        super().__init__(errno.EBUSY, "another process is writing there")


class Directory:
    """An open directory. All methods raise OSError."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def open(cls, path: bytes) -> Directory:
        """Open a directory by a path that the user gave."""
        return cls(os.open(path or b".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))

    def enter(self, name: bytes) -> Directory:
        """Open a directory in this one; a symbolic link to one is refused."""
        return Directory(os.open(name, _OPEN_DIRECTORY, dir_fd=self._descriptor))

    def duplicate(self) -> Directory:
        """The same directory, to be closed by itself."""
        return Directory(os.dup(self._descriptor))

    def close(self) -> None:
        """Release the descriptor; twice is harmless."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def look(self, name: bytes) -> os.stat_result | None:
        """What is there under a name; None if nothing is."""
        try:
            return os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def leads_to_special(self, name: bytes) -> bool:
        """Whether a device, pipe or socket is there, or at the end of a link that is there."""
        try:
            mode = os.stat(name, dir_fd=self._descriptor).st_mode
        except OSError:
            return False
        return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)

    def capacity(self) -> int:
        """Bytes that the whole file system has room for; 0 where it does not say."""
        system = os.fstatvfs(self._descriptor)
        return system.f_blocks * system.f_frsize

    def make(self, name: bytes) -> None:
        """Make a directory."""
        os.mkdir(name, 0o777, dir_fd=self._descriptor)

    def open_file(self, name: bytes) -> int:
        """Open what should be a file for reading; never waits, whatever it is."""
        return os.open(name, _OPEN_TO_READ, dir_fd=self._descriptor)

    def target_of(self, name: bytes) -> bytes:
        """Where a symbolic link leads."""
        return os.readlink(name, dir_fd=self._descriptor)

    def begin_file(self, taken: Container[bytes]) -> tuple[bytes, int]:
        """Make an empty file under a name of its own; return that and a descriptor.

        `taken` are names that it cannot have. Raises Busy where as many others as can be write here.
        """
        for name in unfinished_names(taken):
            try:
                descriptor = self._claim(name)
            except Busy:
                continue
            return name, descriptor
        raise Busy()

    def _claim(self, name: bytes) -> int:
        """Make the file, or take over what was left under its name. Raises Busy if it is somebody else's."""
        try:
            while True:
                descriptor = os.open(name, _OPEN_TO_WRITE, 0o666, dir_fd=self._descriptor)
                if self._is_ours(name, descriptor):
                    return descriptor
                os.close(descriptor)
        except OSError as error:
            # A link that was left there cannot be told from one that another process is making just now.
            if error.errno in (errno.EACCES, errno.EPERM, errno.ELOOP) and self.look(name) is not None:
                raise Busy() from None
            raise

    def _is_ours(self, name: bytes, descriptor: int) -> bool:
        """Lock and empty the file, or say that it has to be opened again."""
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Busy() from None
            opened, here = os.fstat(descriptor), self.look(name)
            if here is None or (here.st_ino, here.st_dev) != (opened.st_ino, opened.st_dev):
                return False  # whoever had the lock has finished it under its own name
            if stat.S_ISREG(opened.st_mode) and opened.st_nlink == 1 and opened.st_uid == os.geteuid():
                if opened.st_size:
                    os.ftruncate(descriptor, 0)
                return True
            self.remove(name)
            return False
        except BaseException:
            os.close(descriptor)
            raise

    def remove_leftovers(self, taken: Container[bytes]) -> None:
        """Remove what interrupted runs were writing here, but not what others are writing now.

        Names are given out in their order, so where some are free in a row nothing was left behind them.
        """
        free = 0
        for name in unfinished_names(taken):
            there = self.look(name)
            if there is None:
                free += 1
                if free == _FREE_IN_A_ROW:
                    return
                continue
            free = 0
            with suppress(OSError):  # not ours to remove, and in nobody's way
                if not stat.S_ISLNK(there.st_mode):
                    os.close(self._claim(name))
                self.remove_if_there(name)

    def make_link(self, target: bytes, taken: Container[bytes]) -> bytes:
        """Make a symbolic link under a name of its own; return that."""
        self.remove_leftovers(taken)
        for name in unfinished_names(taken):
            with suppress(FileExistsError):
                os.symlink(target, name, dir_fd=self._descriptor)
                return name
        raise Busy()

    def rename(self, old: bytes, new: bytes) -> None:
        """Give something its final name, in place of what has it."""
        os.rename(old, new, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)

    def remove(self, name: bytes) -> None:
        """Remove a file or link."""
        os.unlink(name, dir_fd=self._descriptor)

    def remove_if_there(self, name: bytes) -> None:
        """Remove a file or link, if there is one."""
        with suppress(FileNotFoundError):
            self.remove(name)

    def set_link_time(self, name: bytes, mtime: int) -> None:
        """Set the time of last change of a symbolic link, in nanoseconds, where that can be."""
        if os.utime in os.supports_follow_symlinks:
            with suppress(OverflowError):
                os.utime(name, ns=(mtime, mtime), dir_fd=self._descriptor, follow_symlinks=False)

    def set_metadata(self, mode: int | None, mtime: int | None) -> None:
        """Set permissions and time of the directory itself."""
        set_metadata(self._descriptor, mode, mtime)


def unfinished_names(taken: Container[bytes]) -> Iterator[bytes]:
    """Names for what is being written, which no entry of the directory has."""
    return islice((name for name in _numbered() if name not in taken), _MOST_WRITERS)


def _numbered() -> Iterator[bytes]:
    yield UNFINISHED
    for number in count(1):
        yield b"%s%d" % (UNFINISHED, number)


def set_metadata(descriptor: int, mode: int | None, mtime: int | None) -> None:
    """Set permissions, never setuid, setgid or sticky, and time, where they differ from what is there."""
    if mode is None and mtime is None:
        return
    there = os.fstat(descriptor)
    if mode is not None and stat.S_IMODE(there.st_mode) != mode & 0o777:
        os.fchmod(descriptor, mode & 0o777)
    if mtime is not None and there.st_mtime_ns != mtime:
        with suppress(OverflowError):  # a time that no system knows is not kept
            os.utime(descriptor, ns=(mtime, mtime))
