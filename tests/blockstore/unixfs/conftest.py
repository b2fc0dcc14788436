"""Importing into and reading from a plain dictionary of blocks."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import BlockNotFound
from peershelf.blockstore.unixfs.exporter import FileReader
from peershelf.blockstore.unixfs.importer import Imported, Importer
from peershelf.blockstore.unixfs.profiles import DEFAULT_PROFILE, Profile
from peershelf.blockstore.unixfs.sequence import FileSequence

VECTORS = Path(__file__).parents[2] / "vectors"


@dataclass
class Shelf:
    """Blocks by CID, and what was asked of them."""

    blocks: dict[Cid, Block] = field(default_factory=dict)
    fetched: list[Cid] = field(default_factory=list)

    def put(self, *blocks: Block) -> None:
        self.blocks.update((block.cid, block) for block in blocks)

    def get(self, cid: Cid) -> Block:
        if cid not in self.blocks:
            raise BlockNotFound(str(cid))
        return self.blocks[cid]

    def add(self, data: bytes, profile: Profile = DEFAULT_PROFILE, piece: int = 1 << 20) -> Imported:
        def sink(batch: Sequence[Block]) -> None:
            for block in batch:
                self.put(Block.verify(block.cid, block.data))

        with Importer(sink, profile) as importer:
            for start in range(0, len(data), piece):
                importer.write(data[start : start + piece])
            return importer.finish()

    def read(
        self, reader: FileReader | FileSequence, budget: int = 1 << 20, shuffle: Random | None = None
    ) -> bytes:
        """Drive a reader to its end, handing it the blocks that it wants one by one, perhaps out of order."""
        out = bytearray()
        wanted: list[Cid] = []
        while not reader.done:
            wanted += reader.wants(budget)
            waiting = bool(wanted)
            if waiting:
                cid = wanted.pop(shuffle.randrange(len(wanted)) if shuffle else 0)
                self.fetched.append(cid)
                reader.receive(self.get(cid))
            pieces = reader.read()
            assert waiting or pieces or reader.done, "the reader wants nothing and gives nothing"
            out += b"".join(pieces)
        return bytes(out)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture(scope="session")
def make_shelf() -> Callable[[], Shelf]:
    """For property tests, which need a new one for each example."""
    return Shelf


@pytest.fixture(scope="session")
def vectors() -> Callable[[str], Any]:
    """Read a file of tests/vectors."""
    return lambda name: json.loads((VECTORS / name).read_text())


@pytest.fixture
def directory(shelf: Shelf, vectors: Callable[[str], Any]) -> Callable[[str], Cid]:
    """Put one of Kubo's directories on the shelf; return its root."""

    def load(name: str) -> Cid:
        entry = vectors("kubo_directories.json")["directories"][name]
        for cid, data in entry["blocks"].items():
            shelf.put(Block.verify(Cid.parse(cid), base64.b64decode(data)))
        return Cid.parse(entry["root"])

    return load


@pytest.fixture(scope="session")
def some_bytes() -> Callable[[int], bytes]:
    """The first bytes of one endless stream without repetitions."""
    return lambda size: hashlib.shake_128(b"peershelf").digest(size)
