"""Reading the entries of one directory, basic or HAMT, without I/O."""

from __future__ import annotations

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.dag.traversal import Traversal
from peershelf.blockstore.errors import BlockstoreError
from peershelf.blockstore.unixfs import tree_guide
from peershelf.blockstore.unixfs.entries import Entry
from peershelf.blockstore.unixfs.tree_guide import OneDirectory, Role

_MOST_HELD = 8 << 20

__all__ = ["Entry", "Listing"]


class Listing:
    """Plans the reading of one directory: get wants(), receive() each, take entries(), until done.

    Shards are asked for many at a time. A file has no entries but its parts, which have no names.
    """

    def __init__(self, root: Cid) -> None:
        self._traversal = Traversal([tree_guide.root(root)], OneDirectory(), unique=False)

    @property
    def done(self) -> bool:
        """Whether entries() has given out everything."""
        return self._traversal.done

    def wants(self) -> list[Cid]:
        """Return the blocks to get next, each once until it is received."""
        return self._traversal.wants(_MOST_HELD)

    def receive(self, block: Block) -> None:
        """Take a block; one that was not asked for is passed over."""
        self._traversal.receive(block)

    def fail(self, cid: Cid, error: BlockstoreError) -> None:
        """A block that was asked for cannot be had."""
        self._traversal.fail(cid, error)

    def entries(self) -> list[Entry]:
        """Return the entries that are known by now, in the order of the directory's links.

        Empty while a block is missing. Raises MalformedBlock, NotUnixfs and what fail() was told, after all
        entries before it.
        """
        return [
            Entry(visit.step.name, visit.cid, visit.step.size)
            for visit in self._traversal.read()
            if visit.step.role is Role.ENTRY
        ]
