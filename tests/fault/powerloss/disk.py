"""What may be on a disk after a power loss.

Theory of operation. The model knows inodes and names. What was written to a file is certain up to the file's
last fsync or fdatasync; of what came after, any subset may be there, whole or torn at sectors of 512 bytes,
in any order. So with sizes. Names (creations, renames, removals) are certain up to the last fsync of their
directory; later ones may be there or not, but of one name only in their order: nobody sees a file come back
that was removed before it was made. A rename is done or not done, and certain once either of its directories
was synced. What is in a directory whose own name is lost is lost. Nothing is assumed about the order between
files, nor that syncing a file makes its name durable. SQLite's -shm files are left out: they are made anew.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from recording import Op

SECTOR = 512
Forget = Callable[[Op], bool]


@dataclass(slots=True)
class _Inode:
    """A file: all that was done to its bytes, and how much of that is certain. Or a directory."""

    is_directory: bool = False
    ops: list[Op] = field(default_factory=list)
    synced: int = 0


@dataclass(slots=True)
class _NameOp:
    """A name that was bound to an inode, or to nothing; a rename is two of them that happen together."""

    bindings: dict[str, _Inode | None]
    durable: bool = False

    @property
    def directories(self) -> set[str]:
        return {_parent(name) for name in self.bindings}


class Disk:
    """The state that recorded calls led to, and what of it a power loss may leave."""

    def __init__(self, ops: Sequence[Op], forget: Forget = lambda op: False) -> None:
        """`forget` names syncs that are to be taken as if they had never been made."""
        self._names: dict[str, _Inode] = {}
        self._name_ops: list[_NameOp] = []
        for op in ops:
            if not (op.kind == "sync" and forget(op)):
                self._apply(op)

    def write_whole(self, directory: Path) -> None:
        """Write what a reader sees without any power loss."""
        _write(directory, {name: _as_written(inode) for name, inode in self._names.items()})

    def write_after_loss(self, directory: Path, rng: random.Random) -> None:
        """Write one of the states that a power loss now may leave."""
        names: dict[str, _Inode] = {}
        for op in _surviving_names(self._name_ops, rng):
            _bind(names, op.bindings)
        files = {name: inode for name, inode in names.items() if not name.endswith("-shm")}
        _write(directory, {name: _after_loss(inode, rng) for name, inode in files.items()})

    def _apply(self, op: Op) -> None:
        match op.kind:
            case "create":
                self._rebind({op.path: _Inode()})
            case "mkdir" if op.path:
                self._rebind({op.path: _Inode(is_directory=True)})
            case "unlink":
                self._rebind({op.path: None})
            case "rename":
                self._rebind({op.path: None, op.other: self._names[op.path]})
            case "write" | "truncate":
                self._names[op.path].ops.append(op)
            case "sync" if op.path == "" or self._names[op.path].is_directory:
                for name_op in self._name_ops:
                    name_op.durable |= op.path in name_op.directories
            case "sync":
                inode = self._names[op.path]
                inode.synced = len(inode.ops)

    def _rebind(self, bindings: dict[str, _Inode | None]) -> None:
        _bind(self._names, bindings)
        self._name_ops.append(_NameOp(bindings))


def _bind(names: dict[str, _Inode], bindings: dict[str, _Inode | None]) -> None:
    for name, inode in bindings.items():
        if inode is None:
            names.pop(name, None)
        else:
            names[name] = inode


def _parent(path: str) -> str:
    parent = str(PurePosixPath(path).parent)
    return "" if parent == "." else parent


def _write(root: Path, contents: dict[str, bytes | None]) -> None:
    """Write files, and directories, which have no content; what is in a directory that is gone is gone."""
    root.mkdir(parents=True, exist_ok=True)
    for name in sorted(contents):
        path, content = root / name, contents[name]
        if not path.parent.is_dir():
            continue
        if content is None:
            path.mkdir()
        else:
            path.write_bytes(content)


def _as_written(inode: _Inode) -> bytes | None:
    return None if inode.is_directory else _content(inode.ops)


def _after_loss(inode: _Inode, rng: random.Random) -> bytes | None:
    return None if inode.is_directory else _content(_surviving_ops(inode, rng))


def _surviving_names(ops: Sequence[_NameOp], rng: random.Random) -> list[_NameOp]:
    share = rng.choice((0.0, 0.5, 1.0))
    lost: set[str] = set()
    survivors: list[_NameOp] = []
    for op in ops:
        if op.durable or (lost.isdisjoint(op.bindings) and rng.random() < share):
            survivors.append(op)
        else:
            lost.update(op.bindings)
    return survivors


def _surviving_ops(inode: _Inode, rng: random.Random) -> list[Op]:
    certain, doubtful = inode.ops[: inode.synced], inode.ops[inode.synced :]
    share = rng.choice((0.0, 0.5, 0.9, 1.0))
    survivors: list[Op] = []
    for op in doubtful:
        if rng.random() < share:
            survivors += _torn(op, rng) if op.kind == "write" and rng.random() < 0.2 else [op]
    if rng.random() < 0.3:
        rng.shuffle(survivors)
    return [*certain, *survivors]


def _torn(op: Op, rng: random.Random) -> list[Op]:
    """Some of the sectors of a write."""
    first = SECTOR - op.offset % SECTOR
    bounds = [0, *range(first, len(op.data), SECTOR), len(op.data)]
    pieces = itertools.pairwise(bounds)
    return [
        Op("write", op.path, offset=op.offset + start, data=op.data[start:end])
        for start, end in pieces
        if start < end and rng.random() < 0.5
    ]


def _content(ops: Sequence[Op]) -> bytes:
    content = bytearray()
    for op in ops:
        if op.kind == "truncate":
            del content[op.offset :]
            content += bytes(op.offset - len(content))
        else:
            if len(content) < op.offset:
                content += bytes(op.offset - len(content))
            content[op.offset : op.offset + len(op.data)] = op.data
    return bytes(content)
