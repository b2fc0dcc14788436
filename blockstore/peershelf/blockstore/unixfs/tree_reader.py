"""What the visits of a tree's traversal amount to: directories, files with their bytes, and links, in order.

Names come from strangers, and are going to be given to a file system or into an archive. The first one that
no file system may be given ends the reading.
"""

from __future__ import annotations

from dataclasses import dataclass

from peershelf.blockstore.cid import RAW
from peershelf.blockstore.dag.traversal import Visit
from peershelf.blockstore.errors import UnsafeEntry, quoted
from peershelf.blockstore.unixfs.entries import shown
from peershelf.blockstore.unixfs.node_info import Kind, NodeInfo, node_info, unixfs_message
from peershelf.blockstore.unixfs.tree_guide import Role, TreeStep

MAX_NAME = 255
"""Longest name in bytes that the usual file systems take."""

MAX_PATH = 4096
"""Longest path in bytes, below the root of the tree."""

_NEVER_NAMES = frozenset((b"", b".", b".."))

Path = tuple[bytes, ...]
"""Names from the root down; () is the root itself."""


@dataclass(frozen=True, slots=True)
class Found:
    """A directory, a file or a symbolic link. The bytes of a file follow."""

    path: Path
    info: NodeInfo


class TreeReader:
    """Takes the visits of a traversal with the guide WholeTree, in their order."""

    def __init__(self) -> None:
        self._open: list[tuple[int, Path]] = []
        """Depth and path of each directory from the root to the latest."""

    def take(self, visit: Visit[TreeStep]) -> tuple[Found | None, bytes]:
        """Return what begins with this block, if something does, and the bytes of a file that are in it.

        Raises UnsafeEntry for a name that cannot be used, or a link that leads nowhere.
        """
        data = visit.data or b""
        step = visit.step
        while self._open and self._open[-1][0] >= visit.depth:
            self._open.pop()
        if step.role is Role.SHARD:
            return None, b""
        if step.role is Role.PART:
            return None, _file_bytes(step, data)
        path = _extended(self._open[-1][1], step.name) if self._open else ()
        info = node_info(step.cid, data)
        if info.kind is Kind.DIRECTORY:
            self._open.append((visit.depth, path))
        if info.target is not None:
            _check_target(path, info.target)
        return Found(path, info), _file_bytes(step, data) if info.kind is Kind.FILE else b""


def _file_bytes(step: TreeStep, data: bytes) -> bytes:
    return data if step.cid.codec == RAW else unixfs_message(step.cid, data).data or b""


def _extended(path: Path, name: bytes) -> Path:
    if name in _NEVER_NAMES or b"/" in name or b"\0" in name:
        raise UnsafeEntry(f"refused: an entry is named {shown(name)}, which is no name for a file")
    if len(name) > MAX_NAME:
        raise UnsafeEntry(f"refused: the name {shown(name)} is longer than {MAX_NAME} bytes")
    longer = (*path, name)
    if sum(map(len, longer)) + len(path) > MAX_PATH:
        raise UnsafeEntry(f"refused: the path of {shown(name)} is longer than {MAX_PATH} bytes")
    return longer


def _check_target(path: Path, target: bytes) -> None:
    if not target or b"\0" in target or len(target) > MAX_PATH:
        where = quoted(b"/".join(path).decode("utf-8", "surrogateescape"))
        raise UnsafeEntry(f"refused: the symbolic link {where} has no target that a file system takes")
