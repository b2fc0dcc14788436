"""A file on its way to disk: compared with what is there, written beside it, and renamed when it is whole."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

from peershelf.node.archive.directory import Directory, set_metadata

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container

_COPY_SIZE = 1 << 20


class OutputFile:
    """One file of `size` bytes, to be called `name` in a directory. All methods raise OSError.

    As long as a file that is there under the name has the same bytes, it is only read. It is left as it is
    if all of them are the same, and otherwise stays until the new one takes its place.
    """

    def __init__(
        self,
        directory: Directory,
        name: bytes,
        taken: Container[bytes],
        *,
        size: int = 0,
        there: os.stat_result | None = None,
    ) -> None:
        """`there` is what has the name already; None if nothing does, or if it is not worth comparing."""
        self._directory = directory
        self._name = name
        self._taken = taken
        self._old = -1
        self._new = -1
        self._new_name: bytes | None = None
        self._done = 0
        if there is not None and stat.S_ISREG(there.st_mode) and there.st_size == size:
            self._old = self._open_old()
        if self._old < 0:
            self._begin_new()

    def write(self, data: bytes | memoryview) -> None:
        """Take the next bytes."""
        if self._old >= 0 and os.pread(self._old, len(data), self._done) != data:
            self._begin_new()
            self._copy_old()
        if self._new >= 0:
            _write_all(self._new, memoryview(data))
        self._done += len(data)

    def finish(self, mode: int | None, mtime: int | None) -> None:
        """The file is whole: give it its permissions, time and name."""
        set_metadata(self._new if self._new >= 0 else self._old, mode, mtime)
        if self._new_name is not None:
            self._directory.rename(self._new_name, self._name)
            self._new_name = None

    def close(self) -> None:
        """Release everything; what is not finished is removed. Twice is harmless."""
        if self._new_name is not None:
            self._directory.remove_if_there(self._new_name)
            self._new_name = None
        for descriptor in (self._old, self._new):
            if descriptor >= 0:
                os.close(descriptor)
        self._old = self._new = -1

    def _open_old(self) -> int:
        try:
            descriptor = self._directory.open_file(self._name)
        except OSError:
            return -1  # unreadable, or gone: it is replaced
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return descriptor
        os.close(descriptor)
        return -1

    def _begin_new(self) -> None:
        try:
            self._new_name, self._new = self._directory.begin_file(self._taken)
        except BaseException:
            # Ctrl-C may come when the file is there and nobody knows of it yet.
            with suppress(OSError):
                self._directory.remove_leftovers(self._taken)
            raise

    def _copy_old(self) -> None:
        """Take over what was found to be the same so far."""
        offset = 0
        while offset < self._done:
            data = os.pread(self._old, min(_COPY_SIZE, self._done - offset), offset)
            if not data:
                raise OSError(0, "changed while it was read")
            _write_all(self._new, memoryview(data))
            offset += len(data)
        os.close(self._old)
        self._old = -1


def _write_all(descriptor: int, data: memoryview) -> None:
    while len(data):
        data = data[os.write(descriptor, data) :]
