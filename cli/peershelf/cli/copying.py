"""`cat` without a node, as far as that goes, and what is left for a node then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from peershelf.blockstore.unixfs.queued_file import Span
from peershelf.cli.allocator import SMALL, keep_freed_memory
from peershelf.node.reading_here import copy_files

if TYPE_CHECKING:
    from peershelf.blockstore.store.pack import PackStore
    from peershelf.cli.backend import OnLength, Write


class Copying:
    """Files on their way to the output."""

    def __init__(
        self, write: Write, args: Sequence[str], options: Mapping[str, str], on_length: OnLength
    ) -> None:
        length = options.get("length")
        self._span = Span(int(options.get("offset", "0")), None if length is None else int(length))
        self._write = write
        self._args = args
        self._options = options
        self._on_length = on_length
        self._done = 0

    def copies_all(self, store: PackStore) -> bool:
        """Write what the store has of the files; returns whether that was everything."""
        return copy_files(store, self._args, self._span, self._write_and_count, self._begin)

    def rest(self) -> Mapping[str, str]:
        """The options with which a node goes on."""
        if not self._done:
            return self._options
        moved = {**self._options, "offset": str(self._span.offset + self._done)}
        if self._span.length is not None:
            moved["length"] = str(self._span.length - self._done)
        return moved

    def tell_length_of_rest(self, length: int | None) -> None:
        """A node knows how much it will add."""
        self._on_length(None if length is None else self._done + length)

    def _write_and_count(self, data: bytes | memoryview) -> None:
        self._write(data)
        self._done += len(data)

    def _begin(self, size_of_first: int) -> None:
        """The first root is here; large buffers come next, if any."""
        if len(self._args) > 1 or size_of_first > SMALL:
            keep_freed_memory()
        self._on_length(self._span.within(size_of_first) if len(self._args) == 1 else None)
