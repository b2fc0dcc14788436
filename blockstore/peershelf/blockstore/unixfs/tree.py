"""Building directories: a tree's entries come in any order, its directories come out when all are known.

Until then every entry is kept as its name and one run of bytes, about 190 bytes of memory for each. Files are
imported elsewhere (importer); here only their CIDs and sizes are of interest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from peershelf.blockstore.dag import packed_link
from peershelf.blockstore.errors import BlockTooLarge, InvalidImportOption, InvalidPath, quoted
from peershelf.blockstore.unixfs.batch import Batch, Sink
from peershelf.blockstore.unixfs.directory import write_directory
from peershelf.blockstore.unixfs.importer import Imported
from peershelf.blockstore.unixfs.metadata import NONE, Metadata
from peershelf.blockstore.unixfs.nodes import symlink_block
from peershelf.blockstore.unixfs.profiles import Profile

Path = tuple[bytes, ...]
"""Names from the root down; () is the root itself."""

_SHOWN = 300
_NEVER_NAMES = frozenset((b"", b".", b".."))


@dataclass(slots=True)
class _Directory:
    entries: dict[bytes, bytes] = field(default_factory=dict)
    """What is finished, as packed_link has it."""
    children: dict[bytes, _Directory] = field(default_factory=dict)
    metadata: Metadata = NONE
    size: int = 0
    is_added: bool = False

    def enter(self, name: bytes, imported: Imported) -> None:
        self.entries[name] = packed_link.pack(imported.cid, imported.dag_size)
        self.size += imported.size


class TreeImporter:
    """Builds the directories of a tree from its entries, which may come in any order.

    For one thread at a time. Names are bytes of any length and encoding. InvalidPath is raised for a name
    that is empty, `.` or `..`, or has a `/` or NUL in it, for a second entry of one name, and for an entry
    below one that is no directory. A tree without any entry is an empty directory.
    """

    def __init__(self, sink: Sink, profile: Profile) -> None:
        self._profile = profile
        self._batch = Batch(sink)
        self._root: _Directory | None = _Directory()

    def add_file(self, path: Path, imported: Imported) -> None:
        """Enter a file that has been imported. Directories above it come to be."""
        self._enter(path, imported)

    def add_directory(self, path: Path, metadata: Metadata = NONE) -> None:
        """Enter a directory, which needs this only if it is empty or has metadata; () is the root."""
        directory = self._directory(path)
        if directory.is_added:
            raise _twice(path)
        directory.is_added = True
        directory.metadata = metadata

    def add_symlink(self, path: Path, target: bytes, metadata: Metadata = NONE) -> Imported:
        """Make a symbolic link and enter it. The target is kept as it is.

        Raises InvalidImportOption for a target that fits into no block.
        """
        try:
            block = symlink_block(self._profile, target, metadata)
        except BlockTooLarge:
            raise InvalidImportOption(f"the link {_shown(path)} has a target too long for a block") from None
        imported = Imported(block.cid, len(target), len(block.data), blocks=1)
        self._enter(path, imported)
        self._batch.add(block)
        return imported

    def finish(self) -> Iterator[tuple[Path, Imported]]:
        """Build the directories; yield each, children before parents, the root () last.

        The sink has all blocks when the root comes out, not before. Nothing can be added any more.
        Raises InvalidImportOption for a directory that fits into no blocks, and what the sink raises.
        """
        root = self._open_root()
        self._root = None
        return self._finish(root)

    def _open_root(self) -> _Directory:
        if self._root is None:
            raise ValueError("the tree is finished")
        return self._root

    def _enter(self, path: Path, imported: Imported) -> None:
        if not path:
            raise InvalidPath("an entry of a directory needs a name")
        name = path[-1]
        _check_name(name)
        parent = self._directory(path[:-1])
        if name in parent.entries or name in parent.children:
            raise _twice(path)
        parent.enter(name, imported)

    def _directory(self, path: Sequence[bytes]) -> _Directory:
        """Find a directory, and make it if there is nothing under its name."""
        directory = self._open_root()
        for depth, name in enumerate(path):
            child = directory.children.get(name)
            if child is None:
                if name in directory.entries:
                    raise InvalidPath(f"{_shown(path[: depth + 1])} is both a directory and something else")
                return _make_below(directory, path[depth:])
            directory = child
        return directory

    def _finish(self, root: _Directory) -> Iterator[tuple[Path, Imported]]:
        # A path of its own for each directory that waits would be quadratic in a deep tree.
        names: list[bytes] = []
        waiting = [(root, _last_first(root))]
        while True:
            directory, unfinished = waiting[-1]
            if unfinished:
                names.append(unfinished.pop())
                child = directory.children.pop(names[-1])
                waiting.append((child, _last_first(child)))
                continue
            imported = self._write(names, directory)
            waiting.pop()
            if not waiting:
                break
            yield tuple(names), imported
            waiting[-1][0].enter(names.pop(), imported)
        self._batch.flush()
        yield (), imported

    def _write(self, path: Sequence[bytes], directory: _Directory) -> Imported:
        before = self._batch.blocks
        try:
            cid, tsize = write_directory(self._profile, directory.entries, directory.metadata, self._batch)
        except BlockTooLarge:
            raise InvalidImportOption(
                f"the directory {_shown(path)} has names too long for a block"
            ) from None
        return Imported(cid, directory.size, tsize, self._batch.blocks - before)


def _make_below(directory: _Directory, names: Sequence[bytes]) -> _Directory:
    for name in names:
        _check_name(name)
    for name in names:
        child = directory.children[name] = _Directory()
        directory = child
    return directory


def _last_first(directory: _Directory) -> list[bytes]:
    return sorted(directory.children, reverse=True)


def _check_name(name: bytes) -> None:
    if name in _NEVER_NAMES or b"/" in name or b"\0" in name:
        raise InvalidPath(f"an entry of a directory cannot be named {_shown((name,))}")


def _twice(path: Path) -> InvalidPath:
    return InvalidPath(f"two entries are named {_shown(path)}")


def _shown(path: Sequence[bytes]) -> str:
    return quoted(b"/".join(path).decode("utf-8", "surrogateescape"), _SHOWN)
