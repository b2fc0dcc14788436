"""The files and standard input that a command uploads."""
# pathlib would cost a command 7 ms.
# ruff: noqa: PTH116, PTH119

from __future__ import annotations

import io
import os
import stat

from peershelf.cli.errors import CliError
from peershelf.cli.text import safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    Kind = Literal["file", "directory", "symlink"]

STDIN = "-"

WORTH_HANDING_OVER = 256 << 10
"""Bytes from which a daemon is handed the open file; below it, its content is sent as quickly."""


class Source:
    """Something to upload: the file at `path`, standard input where that is None, or what is in `content`.

    `name` is what the node is told; `size` is None where it cannot be known beforehand.
    """

    __slots__ = ("content", "descriptor", "kind", "mode", "mtime_ns", "name", "path", "size")

    def __init__(
        self,
        name: str,
        path: str | None,
        size: int | None,
        *,
        kind: Kind = "file",
        content: bytes | None = None,
        descriptor: int = -1,
    ) -> None:
        self.name = name
        self.path = path
        self.size = size
        self.kind = kind
        self.content = content
        """All of it, where it was read already."""
        self.descriptor = descriptor
        """The open file, where it stays so until the next source is asked for."""
        self.mode: int | None = None
        """Permissions, where the node is to be told of them; so with `mtime_ns`, nanoseconds since 1970."""
        self.mtime_ns: int | None = None

    def open(self) -> io.FileIO:
        """The bytes, unbuffered. Raises CliError where they cannot be had."""
        if self.descriptor >= 0:
            return io.FileIO(self.descriptor, closefd=False)
        try:
            return io.FileIO(self.path or 0, closefd=self.path is not None)
        except OSError as error:
            raise unreadable(self.path or STDIN, error) from None

    def read(self, file: io.FileIO, size: int) -> bytes:
        """Read up to `size` bytes; none at the end. Raises CliError."""
        try:
            return file.read(size) or b""
        except OSError as error:
            raise unreadable(self.path or STDIN, error) from None

    def read_into(self, file: io.FileIO, buffer: memoryview) -> int:
        """Read up to `len(buffer)` bytes; 0 at the end. Raises CliError."""
        try:
            return file.readinto(buffer) or 0
        except OSError as error:
            raise unreadable(self.path or STDIN, error) from None


def collect(paths: list[str], stdin_name: str = "") -> list[Source]:
    """The sources that these words name, `-` being standard input.

    Everything that can be found wrong is found before anything is sent: raises CliError.
    """
    check_standard_input(paths)
    return [Source(stdin_name, None, None) if path == STDIN else _file(path) for path in paths]


def check_standard_input(paths: list[str]) -> None:
    """Raises CliError if it is named more than once."""
    if paths.count(STDIN) > 1:
        raise CliError("standard input (-) can be read only once")


def _file(path: str) -> Source:
    try:
        found = os.stat(path)
    except OSError as error:
        raise unreadable(path, error) from None
    if stat.S_ISDIR(found.st_mode):
        raise CliError(f"{safe(path)} is a directory, and files are wanted")
    return file_source(path, os.path.basename(path), found)


def file_source(path: str, name: str, found: os.stat_result) -> Source:
    """The file, pipe or device at `path`. Raises CliError."""
    if not os.access(path, os.R_OK):
        raise CliError(f"{safe(path)}: permission denied; make the file readable for you")
    size = found.st_size if stat.S_ISREG(found.st_mode) else None
    return Source(name, path, size)


def unreadable(path: str, error: OSError) -> CliError:
    """What to tell about a file that cannot be read."""
    name = "standard input" if path == STDIN else safe(path) or "''"
    return CliError(f"cannot read {name}: {error.strerror or 'input/output error'}")
