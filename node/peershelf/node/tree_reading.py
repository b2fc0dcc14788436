"""UnixFS trees as their blocks come from the store and from peers: listings, whole trees in order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from peershelf.blockstore.cid import RAW, Cid
from peershelf.blockstore.dag.traversal import Traversal
from peershelf.blockstore.dag.visit import Visit
from peershelf.blockstore.errors import NotUnixfs
from peershelf.blockstore.path import name_bytes, parse_reference
from peershelf.blockstore.unixfs import tree_guide
from peershelf.blockstore.unixfs.node_info import UNKNOWN, Kind, NodeInfo, node_info
from peershelf.blockstore.unixfs.tree_guide import OneDirectory, Role, TreeStep, WholeTree
from peershelf.blockstore.unixfs.tree_reader import TreeReader
from peershelf.node.archive import member
from peershelf.node.archive.member import Member
from peershelf.node.dags import drive
from peershelf.node.pipeline import BlockSource, Pipeline

_MEMBER_KINDS = {
    Kind.FILE: member.FILE,
    Kind.DIRECTORY: member.DIRECTORY,
    Kind.SYMLINK: member.SYMLINK,
}


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry of a directory."""

    name: bytes
    """Usually UTF-8; empty for the parts of a file."""
    cid: Cid
    info: NodeInfo | None
    """What the entry is; None where it was not looked up."""


def name_of(reference: Cid | str) -> bytes:
    """What to call the tree that a reference names: the last name of its path, or else its CID."""
    if isinstance(reference, Cid):
        return str(reference).encode()
    root, names = parse_reference(reference)
    return name_bytes(names[-1]) if names else str(root).encode()


async def list_directory(
    blocks: BlockSource,
    fetcher: Pipeline,
    directory: Cid,
    send: Callable[[Listed], Awaitable[None]],
    *,
    look_up: bool,
) -> None:
    """Send the entries in the order of the directory. With `look_up`, their blocks are fetched, far ahead."""

    async def visit(one: Visit[TreeStep]) -> None:
        if one.step.role is Role.ENTRY:
            await send(Listed(one.step.name, one.cid, _info(one)))

    traversal = Traversal([tree_guide.root(directory)], OneDirectory(resolve=look_up), unique=False)
    await drive(blocks, fetcher, traversal, visit)


def _info(visit: Visit[TreeStep]) -> NodeInfo | None:
    if visit.cid.codec == RAW:
        return NodeInfo(Kind.FILE, visit.step.size or 0)
    if visit.data is None:
        return None
    try:
        return node_info(visit.cid, visit.data)
    except NotUnixfs:
        return UNKNOWN


TakeMember = Callable[[Member | None, bytes, Visit[TreeStep]], Awaitable[None]]
"""Is given what begins with a block, if something does, and the bytes of a file that are in it."""


async def read_tree(blocks: BlockSource, fetcher: Pipeline, root: Cid, take: TakeMember) -> None:
    """Read everything below `root`: directories first, each file with its bytes before the next thing.

    All of it is one pipeline. Raises UnsafeEntry for a name that no file system may be given.
    """
    reader = TreeReader()

    async def visit(one: Visit[TreeStep]) -> None:
        found, data = reader.take(one)
        await take(None if found is None else _member(found.path, found.info), data, one)

    traversal = Traversal([tree_guide.root(root)], WholeTree(), unique=False)
    await drive(blocks, fetcher, traversal, visit)


def _member(path: tuple[bytes, ...], info: NodeInfo) -> Member:
    mtime = info.mtime
    return Member(
        path,
        _MEMBER_KINDS[info.kind],
        size=info.size if info.kind is Kind.FILE else 0,
        mode=info.mode,
        mtime=None if mtime is None else mtime.seconds * member.NANOSECONDS + (mtime.nanoseconds or 0),
        target=info.target or b"",
    )
