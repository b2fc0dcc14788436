"""Where the archive of a tree goes as it comes from the node: unpacked to disk, or into a file."""

# pathlib would cost a command 7 ms.
# ruff: noqa: PTH112

from __future__ import annotations

import os
from contextlib import contextmanager

from peershelf.blockstore.unixfs.names import problem_of_name
from peershelf.cli.errors import CliError
from peershelf.cli.text import one_line
from peershelf.node.archive.directory import Directory
from peershelf.node.archive.member import Member, shown
from peershelf.node.archive.output_file import OutputFile
from peershelf.node.archive.tar_reader import TarReader
from peershelf.node.archive.tree_writer import TreeWriter
from peershelf.node.errors import NodeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class TreeSink:
    """Unpacks an archive to `target`, or to the name that the archive has for it. Raises CliError."""

    def __init__(self, target: str | None) -> None:
        self._target = target
        self._reader = TarReader()
        self._writer: TreeWriter | None = None
        self.size = 0
        """Bytes of its files."""

    @property
    def path(self) -> str:
        """Where the tree is; known once its first member is."""
        return "" if self._writer is None else os.fsdecode(self._writer.target)

    def write(self, data: bytes | memoryview) -> None:
        """Take the next bytes of the archive."""
        with _told():
            for item in self._reader.receive(memoryview(data)):
                if isinstance(item, Member):
                    self._opened().begin(item)
                else:
                    self._opened().write(item)
                    self.size += len(item)

    def finish(self) -> None:
        """The archive is whole."""
        with _told():
            self._reader.end()
            if self._writer is not None:
                self._writer.finish()

    def close(self) -> None:
        """Let go of everything; what is half-written is removed."""
        if self._writer is not None:
            self._writer.close()

    def _opened(self) -> TreeWriter:
        if self._writer is None:
            name = self._reader.root
            problem = problem_of_name(name)
            if problem is not None:
                raise CliError(f"refused: {shown(name)} {problem}; name another with -o")
            self._writer = TreeWriter(os.fsencode(self._target or os.fsdecode(name)), name)
        return self._writer


class ArchiveSink:
    """Writes bytes to the file `path`, which has its name only once it is whole. Raises CliError."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.size = 0
        self._file: OutputFile | None = None
        self._directory: Directory | None = None
        self._parent, self._name = os.path.split(os.fsencode(path))
        if not self._name or os.path.isdir(path):
            raise CliError(f"cannot write {shown(os.fsencode(path))}: that is a directory; name a file")

    def write(self, data: bytes | memoryview) -> None:
        """Take the next bytes."""
        with self._failures():
            self._opened().write(data)
        self.size += len(data)

    def finish(self) -> None:
        """The file is whole."""
        with self._failures():
            self._opened().finish(None, None)
            if self._directory is not None:
                self._directory.remove_leftovers({self._name})

    def close(self) -> None:
        """Let go of everything; a file that is not whole is removed."""
        if self._file is not None:
            self._file.close()
        if self._directory is not None:
            self._directory.close()

    def _opened(self) -> OutputFile:
        if self._file is None:
            self._directory = Directory.open(self._parent)
            if self._directory.leads_to_special(self._name):
                where = shown(os.fsencode(self.path))
                raise CliError(f"refused: {where} is a device, pipe or socket: redirect the output to it")
            self._file = OutputFile(self._directory, self._name, {self._name})
        return self._file

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise CliError(f"cannot write {shown(os.fsencode(self.path))}: {error.strerror}") from None


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except NodeError as error:
        raise CliError(one_line(str(error))) from None
