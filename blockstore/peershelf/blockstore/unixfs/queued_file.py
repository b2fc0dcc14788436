"""One of several files that are read one after another, and the bytes that are wanted of them together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from peershelf.blockstore.block import Block, inline_bytes
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import BlockstoreError
from peershelf.blockstore.path import parse_reference
from peershelf.blockstore.unixfs.exporter import FileReader
from peershelf.blockstore.unixfs.resolve import PathResolver


@dataclass(frozen=True, slots=True)
class Span:
    """Which bytes are wanted of files that are still to come, taken as one."""

    offset: int = 0
    length: int | None = None
    """None: all to the end."""

    def within(self, size: int) -> int:
        """How many of them are in the next file, of `size` bytes."""
        there = max(0, size - self.offset)
        return there if self.length is None else min(there, self.length)

    def after(self, size: int) -> Span:
        """What is wanted of the files behind that one."""
        length = None if self.length is None else self.length - self.within(size)
        return Span(max(0, self.offset - size), length)


class QueuedFile:
    """A file of a sequence: the way to its root, then the reader."""

    def __init__(self, reference: Cid | str) -> None:
        self.error: BlockstoreError | None = None
        self.root: Cid | None = None
        self.root_block: Block | None = None
        self.reader: FileReader | None = None
        self.start = 0
        """Where its bytes begin among all those that are read."""
        self._resolver: PathResolver | None = None
        self.attempt(partial(self._begin, reference))

    @property
    def wanted(self) -> Cid | None:
        """The block without which its size stays unknown; None if there is none."""
        if self._resolver is not None and self.root is None:
            return self._resolver.wanted
        return self.root if self.root_block is None else None

    def receive(self, block: Block) -> None:
        """Take the wanted block."""
        if self.root is not None:
            self.root_block = block
        elif self._resolver is not None:
            self._resolver.receive(block)
            self._found_root(self._resolver)

    def attempt(self, step: Callable[[], None]) -> None:
        """Do something that may show that the file cannot be read."""
        try:
            step()
        except BlockstoreError as error:
            self.error = error

    def _begin(self, reference: Cid | str) -> None:
        root, names = parse_reference(reference) if isinstance(reference, str) else (reference, ())
        self._resolver = PathResolver(root, names)
        self._found_root(self._resolver)

    def _found_root(self, resolver: PathResolver) -> None:
        self.root = resolver.result
        if self.root is not None and (data := inline_bytes(self.root)) is not None:
            self.root_block = Block(self.root, data)
