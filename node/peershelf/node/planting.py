"""Adding a tree from disk, in a thread of its own."""

from __future__ import annotations

import io
import os
from contextlib import closing
from pathlib import Path

import trio

from peershelf.blockstore.unixfs.importer import Imported
from peershelf.node.importing import Progress, add_file
from peershelf.node.trees import SMALL_SIZE, Gathered, LargeFile, Preserve, SmallEntry, TreeBuilder
from peershelf.node.walk import Entry, Rules, walk


class Planting:
    """Moves what a walk finds into a tree, in a thread that trio has started, so that it can be cancelled."""

    def __init__(
        self, tree: TreeBuilder, rules: Rules, preserve: Preserve, progress: Progress | None
    ) -> None:
        """`progress` is told the bytes done so far."""
        self._tree = tree
        self._rules = rules
        self._preserve = preserve
        self._progress = progress
        self._gathered = Gathered()
        self._done = 0

    def run(self, top: str, *, wrap: bool) -> Imported:
        """Add what is at `top`; with `wrap`, as the only entry of a directory. Raises OSError too."""
        base = (os.fsencode(Path(top).absolute().name),) if wrap else ()
        with closing(walk(top, self._rules)) as entries:
            for entry in entries:
                self._add(entry, base + tuple(entry.path.split(b"/")) if entry.path else base)
                if self._gathered.is_enough:
                    self._import()
        self._import()
        return self._tree.finish()

    def _add(self, entry: Entry, path: tuple[bytes, ...]) -> None:
        metadata = self._preserve.of_status(entry.status)
        data = entry.read_small(SMALL_SIZE) if entry.kind == "file" else entry.target
        if data is not None:
            self._gathered.add(SmallEntry(path, entry.kind, data, metadata))
            return
        self._import()
        with io.FileIO(entry.descriptor, closefd=False) as file:
            check = trio.from_thread.check_cancelled
            imported = add_file(file, self._tree.sink, self._tree.profile, self._tell, metadata, check)
        self._done += imported.size
        self._gathered.add(LargeFile(path, imported, metadata))

    def _tell(self, more: int) -> None:
        if self._progress is not None:
            self._progress(self._done + more)

    def _import(self) -> None:
        trio.from_thread.check_cancelled()
        size = self._gathered.size
        self._tree.add(self._gathered.take())
        self._tell(size)
        self._done += size
