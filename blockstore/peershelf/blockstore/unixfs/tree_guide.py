"""Guides for traversals of UnixFS trees: one through everything, one through a single directory.

Both check each block against what its parent says of it, and follow nothing that a reader has no use for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import DAG_PB, RAW, Cid
from peershelf.blockstore.dag import pb
from peershelf.blockstore.errors import MalformedBlock, NotAFile
from peershelf.blockstore.unixfs import entries, file_node
from peershelf.blockstore.unixfs.entries import Entry, Shard
from peershelf.blockstore.unixfs.exporter import MAX_DEPTH
from peershelf.blockstore.unixfs.message import Data, DataType
from peershelf.blockstore.unixfs.node_info import Kind, info_of, unixfs_message


class Role(Enum):
    """What a block is to the tree."""

    ROOT = auto()
    ENTRY = auto()
    SHARD = auto()
    """A part of the directory above it."""
    PART = auto()
    """A part of the file above it."""


@dataclass(frozen=True, slots=True)
class TreeStep:
    """A way to a block of a tree."""

    cid: Cid
    role: Role
    name: bytes = b""
    size: int | None = None
    """Of an entry its Tsize, of a part its file bytes, as the parent claims."""
    depth: int = 0
    """Of a part: file nodes above it."""
    shard: Shard | None = None


def root(cid: Cid) -> TreeStep:
    """Make the step that leads to the root of a tree."""
    return TreeStep(cid, Role.ROOT)


class WholeTree:
    """Follows entries, shards and the parts of files: a traversal visits them in the order of an archive.

    Not for `unique` traversals: a block may stand for different things at different places.
    """

    def loads(self, step: TreeStep) -> bool:
        """Every block is loaded."""
        return True

    def expand(self, step: TreeStep, data: bytes) -> Sequence[TreeStep]:
        """Return the steps that lead on. Raises NotUnixfs, MalformedBlock."""
        if step.role is Role.PART:
            return _parts(step, data)
        if step.role is Role.SHARD:
            return _shard_steps(step, data)
        if step.cid.codec == RAW:
            return ()
        content = unixfs_message(step.cid, data)
        kind = info_of(step.cid, content).kind
        if kind is Kind.DIRECTORY:
            return _directory_steps(content, data)
        return _parts(step, data) if kind is Kind.FILE else ()


class OneDirectory:
    """Follows the shards of one directory. Entries end a way; with `resolve` their blocks are loaded.

    Of a file its parts are listed, as entries without names, for that is what Kubo does.
    """

    def __init__(self, *, resolve: bool = False) -> None:
        self._resolve = resolve

    def loads(self, step: TreeStep) -> bool:
        """Raw entries are files, which is all that loading them would tell."""
        return step.role is not Role.ENTRY or (self._resolve and step.cid.codec == DAG_PB)

    def expand(self, step: TreeStep, data: bytes) -> Sequence[TreeStep]:
        """Return the entries and shards that a node of the directory links to. Raises as WholeTree's does."""
        if step.role is Role.SHARD:
            return _shard_steps(step, data)
        if step.role is Role.ENTRY or step.cid.codec == RAW:
            return ()
        content = unixfs_message(step.cid, data)
        kind = info_of(step.cid, content).kind
        if kind is Kind.DIRECTORY:
            return _directory_steps(content, data)
        return [TreeStep(part.cid, Role.ENTRY, b"", part.size) for part in _parts(step, data)]


def _directory_steps(content: Data, data: bytes) -> Sequence[TreeStep]:
    links = pb.decode(data).links
    if content.type == DataType.HAMT:
        return [_step(found) for found in entries.shard_entries(content, links)]
    return [_step(entry) for entry in entries.basic_entries(links)]


def _shard_steps(step: TreeStep, data: bytes) -> Sequence[TreeStep]:
    content = unixfs_message(step.cid, data) if step.cid.codec == DAG_PB else None
    if content is None or content.type != DataType.HAMT:
        raise MalformedBlock(f"malformed directory: {step.cid} is not a HAMT shard")
    return [_step(found) for found in entries.shard_entries(content, pb.decode(data).links, step.shard)]


def _step(found: Entry | Shard) -> TreeStep:
    if isinstance(found, Shard):
        return TreeStep(found.cid, Role.SHARD, shard=found)
    return TreeStep(found.cid, Role.ENTRY, found.name, found.size)


def _parts(step: TreeStep, data: bytes) -> Sequence[TreeStep]:
    """The parts of a file that have bytes; one that has none could have any number of parts below it."""
    size, children = _file_node(step, data)
    if step.role is Role.PART and size != step.size:
        raise MalformedBlock(f"malformed file: {step.cid} is not as long as its parent says")
    if children and step.depth == MAX_DEPTH:
        raise MalformedBlock(f"malformed file: deeper than {MAX_DEPTH} levels")
    return [TreeStep(cid, Role.PART, b"", size, step.depth + 1) for cid, size in children if size]


def _file_node(step: TreeStep, data: bytes) -> tuple[int, Sequence[tuple[Cid, int]]]:
    if step.cid.codec == RAW:
        return len(data), ()
    try:
        node = file_node.decode(Block(step.cid, data))
    except NotAFile as error:
        raise MalformedBlock(f"malformed file: {error}") from None
    return node.size, node.children
