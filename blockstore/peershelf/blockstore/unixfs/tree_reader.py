"""What the visits of a tree's traversal amount to: directories, files with their bytes, and links, in order.

Names come from strangers, and are going to be given to a file system or into an archive. The first one that
no file system may be given ends the reading.
"""

from __future__ import annotations

from dataclasses import dataclass

from peershelf.blockstore.cid import RAW
from peershelf.blockstore.dag.visit import Visit
from peershelf.blockstore.errors import UnsafeEntry
from peershelf.blockstore.unixfs.entries import shown
from peershelf.blockstore.unixfs.names import problem_of_name, problem_of_path, problem_of_target
from peershelf.blockstore.unixfs.node_info import Kind, NodeInfo, node_info, unixfs_message
from peershelf.blockstore.unixfs.tree_guide import Role, TreeStep

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
    longer = (*path, name)
    problem = problem_of_name(name) or problem_of_path(longer)
    if problem is not None:
        raise UnsafeEntry(f"refused: the entry {shown(name)} {problem}")
    return longer


def _check_target(path: Path, target: bytes) -> None:
    problem = problem_of_target(target)
    if problem is not None:
        raise UnsafeEntry(f"refused: {shown(b'/'.join(path))} {problem}")
