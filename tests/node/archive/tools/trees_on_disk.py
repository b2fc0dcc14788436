"""Trees that are written with a TreeWriter, and looked at on disk."""

from __future__ import annotations

import os
from pathlib import Path

from peershelf.node.archive.member import DIRECTORY, FILE, SYMLINK, Member
from peershelf.node.archive.tree_writer import TreeWriter

Item = Member | tuple[Member, bytes]
ROOT = Member((), DIRECTORY)


def names(path: Path) -> set[str]:
    return {one.name for one in path.iterdir()}


def file(*path: str, data: bytes = b"content", mode: int | None = None, mtime: int | None = None) -> Item:
    return Member(tuple(map(os.fsencode, path)), FILE, size=len(data), mode=mode, mtime=mtime), data


def link(*path: str, to: str) -> Member:
    return Member(tuple(map(os.fsencode, path)), SYMLINK, target=os.fsencode(to))


def directory(*path: str, mode: int | None = None, mtime: int | None = None) -> Member:
    return Member(tuple(map(os.fsencode, path)), DIRECTORY, mode=mode, mtime=mtime)


def write(target: Path, *items: Item, name: bytes = b"name") -> None:
    writer = TreeWriter(os.fsencode(target), name)
    try:
        for item in items:
            if isinstance(item, Member):
                writer.begin(item)
            else:
                writer.begin(item[0])
                for start in range(0, len(item[1]), 3):
                    writer.write(item[1][start : start + 3])
        writer.finish()
    finally:
        writer.close()


def tree(path: Path) -> dict[str, bytes | str | None]:
    """What is there: bytes of files, targets of links, None for directories."""
    found: dict[str, bytes | str | None] = {}
    for one in sorted(path.rglob("*")):
        name = str(one.relative_to(path))
        found[name] = str(one.readlink()) if one.is_symlink() else None if one.is_dir() else one.read_bytes()
    return found
