"""The balanced layout: a tree whose leaves are all at one depth, built from left to right.

Each level holds the nodes that have no parent yet. A level that is full gets its parent only when one more
node arrives, so memory is links × depth whatever the file's length, and a file that fits in a smaller tree
never grows a needless root.
"""

from __future__ import annotations

from dataclasses import dataclass

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.dag import pb
from peershelf.blockstore.unixfs import message
from peershelf.blockstore.unixfs.metadata import NONE, Metadata, with_metadata
from peershelf.blockstore.unixfs.nodes import node_block
from peershelf.blockstore.unixfs.profiles import Profile


@dataclass(frozen=True, slots=True)
class Subtree:
    """A finished part of a file's DAG."""

    root: Cid
    file_size: int
    """Bytes of the file below the root."""
    dag_size: int
    """Bytes of all blocks below the root and its own, as a link's Tsize counts them."""


def make_leaf(profile: Profile, chunk: bytes, metadata: Metadata = NONE) -> Block:
    """Make the block that holds one chunk of a file; the hash makes this work for a thread of its own.

    Metadata goes into a leaf that is the whole file, and needs a profile without raw leaves.
    """
    if profile.raw_leaves:
        return Block.create(chunk, hash_code=profile.hash_code)
    content = message.Data(message.DataType.FILE, chunk or None, filesize=len(chunk))
    encoded = message.encode(with_metadata(content, metadata))
    return node_block(profile, pb.encode(pb.PbNode(encoded)))


class BalancedLayout:
    """Turns the leaves of a file, in order, into the inner nodes above them."""

    def __init__(self, profile: Profile, metadata: Metadata = NONE) -> None:
        """`metadata` is for the root; one that is a leaf has it already."""
        self._profile = profile
        self._metadata = metadata
        self._levels: list[list[Subtree]] = [[]]

    def add_leaf(self, leaf: Subtree) -> list[Block]:
        """Append a leaf; return the inner nodes that are finished by it, children before parents."""
        finished: list[Block] = []
        self._append(0, leaf, finished)
        return finished

    def finish(self) -> tuple[Subtree, list[Block]]:
        """Return the root and the inner nodes not returned before. There must be at least one leaf."""
        finished: list[Block] = []
        level = 0
        while level < len(self._levels) - 1 or len(self._levels[level]) > 1:
            is_root = level == len(self._levels) - 1
            self._close(level, finished, self._metadata if is_root else NONE)
            level += 1
        return self._levels[level][0], finished

    def _append(self, level: int, subtree: Subtree, finished: list[Block]) -> None:
        if len(self._levels[level]) == self._profile.max_links:
            self._close(level, finished)
        self._levels[level].append(subtree)

    def _close(self, level: int, finished: list[Block], metadata: Metadata = NONE) -> None:
        """Give the nodes of a level their parent, one level up."""
        children = self._levels[level]
        self._levels[level] = []
        if level + 1 == len(self._levels):
            self._levels.append([])
        parent, block = _inner_node(self._profile, children, metadata)
        finished.append(block)
        self._append(level + 1, parent, finished)


def _inner_node(profile: Profile, children: list[Subtree], metadata: Metadata) -> tuple[Subtree, Block]:
    sizes = tuple(child.file_size for child in children)
    content = message.Data(message.DataType.FILE, filesize=sum(sizes), blocksizes=sizes)
    encoded = message.encode(with_metadata(content, metadata))
    links = tuple(pb.Link(child.root, b"", child.dag_size) for child in children)
    block = node_block(profile, pb.encode(pb.PbNode(encoded, links)))
    dag_size = len(block.data) + sum(child.dag_size for child in children)
    return Subtree(block.cid, sum(sizes), dag_size), block
