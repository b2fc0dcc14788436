"""Adding a tree: its entries come one after the other, small ones many at a time, and its root comes out.

Theory of operation. A hop to a thread and a call of the store cost more than hashing a small file. So small
ones are gathered to some MiB, and imported in one thread with one put for all their blocks. A large file
goes through the pipeline of threads that any file goes through. Nothing is synced on the way: all blocks
become durable together, when the directories are built and before anybody is told the root.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.unixfs.batch import Sink
from peershelf.blockstore.unixfs.importer import Imported, Importer
from peershelf.blockstore.unixfs.message import Mtime
from peershelf.blockstore.unixfs.metadata import NONE, Metadata
from peershelf.blockstore.unixfs.nodes import symlink_block
from peershelf.blockstore.unixfs.profiles import Profile, with_options
from peershelf.blockstore.unixfs.tree import Path, TreeImporter

if TYPE_CHECKING:
    from peershelf.node.walk import Kind

SMALL_SIZE = 256 << 10
"""Bytes up to which a file is gathered with others."""

MAX_TARGET = 64 << 10
"""Bytes that a symbolic link's target may have; systems allow 4 KiB."""

_GATHERED_SIZE = 2 << 20
_GATHERED_ENTRIES = 1024


@dataclass(frozen=True, slots=True)
class SmallEntry:
    """An entry of a tree with all there is of it."""

    path: Path
    kind: Kind
    data: bytes = b""
    """A file's bytes, or a link's target."""
    metadata: Metadata = NONE


@dataclass(frozen=True, slots=True)
class LargeFile:
    """A file of a tree that has been imported already."""

    path: Path
    imported: Imported
    metadata: Metadata = NONE


@dataclass(frozen=True, slots=True)
class Added:
    """What an entry of a tree became."""

    path: Path
    imported: Imported
    metadata: Metadata = NONE


OnAdded = Callable[[Added], object]
Keep = Callable[[Cid], None]


class Gathered:
    """Small entries that wait to be imported together."""

    def __init__(self) -> None:
        self._entries: list[SmallEntry | LargeFile] = []
        self.size = 0
        """Bytes of them."""

    def add(self, entry: SmallEntry | LargeFile) -> None:
        """Append an entry."""
        self._entries.append(entry)
        if isinstance(entry, SmallEntry):
            self.size += len(entry.data)

    @property
    def is_enough(self) -> bool:
        """Whether it is time to take them."""
        return self.size >= _GATHERED_SIZE or len(self._entries) >= _GATHERED_ENTRIES

    def take(self) -> list[SmallEntry | LargeFile]:
        """Hand out what there is."""
        entries, self._entries, self.size = self._entries, [], 0
        return entries


class TreeBuilder:
    """One tree on its way into the store; it may also be a file or a link alone, whose path is ().

    Methods block, and are for one thread at a time. They raise InvalidPath for a name that cannot be or comes
    twice, BlockTooLarge, and what the sink raises.
    """

    def __init__(self, sink: Sink, profile: Profile, keep: Keep, on_added: OnAdded | None = None) -> None:
        """`keep` makes all that the sink was given durable, and pins what is to be pinned.

        `on_added` is told of the files and links in their order, then of the directories, the root last.
        """
        self.sink = sink
        self.profile = profile
        self._keep = keep
        self._on_added = on_added or (lambda added: None)
        self._tree = TreeImporter(sink, profile)
        self._alone: Imported | None = None
        self._metadata: dict[Path, Metadata] = {}

    def add(self, entries: Sequence[SmallEntry | LargeFile]) -> None:
        """Import entries in their order; the sink gets the blocks of all files among them at once."""
        blocks: list[Block] = []
        added = [self._enter(entry, blocks.extend) for entry in entries]
        if blocks:
            self.sink(blocks)
        for one in added:
            if one is not None:
                self._on_added(one)

    def finish(self) -> Imported:
        """Build the directories; returns the root once it is to be kept."""
        if self._alone is not None:
            self._keep(self._alone.cid)
            return self._alone
        for path, imported in self._tree.finish():
            self._on_added(Added(path, imported, self._metadata.get(path, NONE)))
        self._keep(imported.cid)
        return imported

    def _enter(self, entry: SmallEntry | LargeFile, sink: Sink) -> Added | None:
        if isinstance(entry, SmallEntry) and entry.kind == "directory":
            self._tree.add_directory(entry.path, entry.metadata)
            if entry.metadata:
                self._metadata[entry.path] = entry.metadata
            return None
        imported = entry.imported if isinstance(entry, LargeFile) else self._import(entry, sink)
        if not entry.path:
            self._alone = imported
        elif isinstance(entry, LargeFile) or entry.kind == "file":
            self._tree.add_file(entry.path, imported)
        return Added(entry.path, imported, entry.metadata)

    def _import(self, entry: SmallEntry, sink: Sink) -> Imported:
        if entry.kind == "file":
            with Importer(sink, self.profile, metadata=entry.metadata) as importer:
                importer.write(entry.data)
                return importer.finish()
        if entry.path:
            return self._tree.add_symlink(entry.path, entry.data, entry.metadata)
        block = symlink_block(self.profile, entry.data, entry.metadata)
        sink([block])
        return Imported(block.cid, len(entry.data), len(block.data), blocks=1)


@dataclass(frozen=True, slots=True)
class Preserve:
    """Which metadata of what is added to keep, and what to say of that which has none to be kept."""

    mode: bool = False
    mtime: bool = False
    default: Metadata = NONE

    def __bool__(self) -> bool:
        """Whether anything is kept."""
        return self.mode or self.mtime or bool(self.default)

    def profile(self, profile: Profile) -> Profile:
        """The profile that allows it: as in Kubo no file has bare blocks, which have no room for metadata."""
        return with_options(profile, raw_leaves=False) if self else profile

    def of(self, own: Metadata) -> Metadata:
        """What to keep of an entry whose `own` metadata is known."""
        return Metadata(
            own.mode if self.mode else self.default.mode, own.mtime if self.mtime else self.default.mtime
        )

    def of_status(self, status: os.stat_result) -> Metadata:
        """What to keep of a file on disk."""
        if not self:
            return NONE
        return self.of(Metadata(stat.S_IMODE(status.st_mode), Mtime.of(status.st_mtime_ns)))
