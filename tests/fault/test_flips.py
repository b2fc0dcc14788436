"""Bits flipped and files cut anywhere in segments and index: never a wrong byte, and put again all is well.

PEERSHELF_STORE_FLIPS sets how often; each time one of these happens to a store that is whole.
"""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest

from peershelf.blockstore.block import Block
from peershelf.blockstore.errors import BlockNotFound, CorruptBlock
from peershelf.blockstore.store.pack import PackStore

COUNT = int(os.environ.get("PEERSHELF_STORE_FLIPS", "60"))
SEGMENT_SIZE = 40_000
HEAD = 56


@pytest.fixture(scope="module")
def blocks() -> list[Block]:
    rng = random.Random(0)
    return [Block.create(rng.randbytes(rng.choice((30, 300, 3000, 9000)))) for _ in range(40)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, blocks: list[Block]) -> Path:
    """A closed store of several segments."""
    path = tmp_path_factory.mktemp("whole")
    with PackStore.open(path, segment_size=SEGMENT_SIZE) as store:
        store.put_many(blocks)
    assert len(list((path / "segments").glob("*.seg"))) > 2
    return path


def damage(rng: random.Random, path: Path) -> tuple[Path, int, int]:
    """Flip a bit of one file, or cut it; returns where."""
    chosen = rng.choice([*sorted((path / "segments").glob("*.seg")), path / "index.db"])
    size = chosen.stat().st_size
    start = rng.randrange(size)
    if rng.random() < 0.3:
        os.truncate(chosen, start)
        return chosen, start, size
    with chosen.open("r+b") as file:
        file.seek(start)
        (byte,) = file.read(1)
        file.seek(start)
        file.write(bytes([byte ^ 1 << rng.randrange(8)]))
    return chosen, start, start + 1


def hit(blocks: list[Block], whole: Path, name: str, start: int, end: int, before: int) -> set[Block]:
    """Those of whose bytes, or of the `before` in front of them, some are in the damaged piece."""
    data = (whole / "segments" / name).read_bytes() if name.endswith(".seg") else b""
    places = ((block, data.find(block.data)) for block in blocks)
    return {
        block
        for block, first in places
        if first >= 0 and start < first + len(block.data) and end > first - before
    }


def test_one_flip_or_cut_anywhere(whole: Path, blocks: list[Block], tmp_path: Path) -> None:
    for seed in range(COUNT):
        path = tmp_path / f"{seed}"
        shutil.copytree(whole, path)
        where, start, end = damage(random.Random(seed), path)
        with PackStore.open(path, segment_size=SEGMENT_SIZE) as store:
            lost = {block for block in blocks if not readable(store, block)}
            assert hit(blocks, whole, where.name, start, end, 0) <= lost, seed
            assert lost <= hit(blocks, whole, where.name, start, end, HEAD), seed
            store.put_many(blocks)
            assert all(readable(store, block) for block in blocks), seed
        with PackStore.open(path, segment_size=SEGMENT_SIZE) as store:
            assert all(readable(store, block) for block in blocks), seed
        shutil.rmtree(path)


def test_no_flip_in_a_record_changes_what_is_served(whole: Path, blocks: list[Block], tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path / "store")
    block = min(blocks, key=lambda block: len(block.data))
    with PackStore.open(tmp_path / "store", segment_size=SEGMENT_SIZE) as store:
        (path,) = (p for p in (tmp_path / "store/segments").glob("*.seg") if block.data in p.read_bytes())
        start = path.read_bytes().find(block.data) - HEAD
        with path.open("r+b", buffering=0) as file:
            for offset in range(start, start + HEAD + len(block.data)):
                (byte,) = os.pread(file.fileno(), 1, offset)
                os.pwrite(file.fileno(), bytes([byte ^ 1 << offset % 8]), offset)
                if offset < start + HEAD:
                    assert store.get_unhashed(block.cid) == block.data
                else:
                    with pytest.raises(CorruptBlock):
                        store.get_unhashed(block.cid)
                os.pwrite(file.fileno(), bytes([byte]), offset)
        assert readable(store, block)


def readable(store: PackStore, block: Block) -> bool:
    """Whether a block can be had, to look at and to serve; wrong bytes fail the test."""
    found = []
    for get in (store.get_unhashed, store.get):
        try:
            data = get(block.cid)
        except (BlockNotFound, CorruptBlock):
            found.append(False)
        else:
            assert data == block.data
            found.append(True)
    assert found[0] == found[1]
    return found[0]
