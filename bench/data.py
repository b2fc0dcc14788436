"""The inputs: files of pseudo-random bytes that are the same in every run, and what they hash to."""

from __future__ import annotations

import base64
import hashlib
import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_PIECE = 1 << 20
_PER_FOLDER = 100


@dataclass(frozen=True, slots=True)
class DataFile:
    """One input file."""

    path: Path
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Tree:
    """A directory with 100 files to a folder."""

    path: Path
    files: tuple[Path, ...]
    cids: tuple[str, ...]
    """Of the files, which are one raw block each."""
    sha256: str
    """Of all their bytes, in the order of the names."""
    size: int
    """Bytes of all files."""


def data_file(folder: Path, size: int) -> DataFile:
    """Write a file of `size` bytes; its bytes depend on its size alone."""
    source = random.Random(size)
    digest = hashlib.sha256()
    path = folder / f"file-{size}"
    with path.open("wb") as file:
        for start in range(0, size, _PIECE):
            piece = source.randbytes(min(_PIECE, size - start))
            digest.update(piece)
            file.write(piece)
    return DataFile(path, size, digest.hexdigest())


def tree(folder: Path, count: int, size: int) -> Tree:
    """Write `count` files of `size` bytes each."""
    source = random.Random(count * 1_000_003 + size)
    digest = hashlib.sha256()
    root = folder / f"tree-{count}x{size}"
    files, cids = [], []
    for number in range(count):
        path = root / f"d{number // _PER_FOLDER:04}" / f"f{number:06}"
        path.parent.mkdir(parents=True, exist_ok=True)
        content = source.randbytes(size)
        digest.update(content)
        path.write_bytes(content)
        files.append(path)
        cids.append(raw_cid(content))
    return Tree(root, tuple(files), tuple(cids), digest.hexdigest(), count * size)


def raw_cid(content: bytes) -> str:
    """The CIDv1 of one raw block, worked out without the code that is measured."""
    binary = b"\x01\x55\x12\x20" + hashlib.sha256(content).digest()
    return "b" + base64.b32encode(binary).decode().lower().rstrip("=")


def sha256_of(paths: Iterable[Path]) -> str:
    """The hash of the files' bytes, one after another."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
    return digest.hexdigest()
