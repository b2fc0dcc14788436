"""Collecting on a disk that is full to the last byte: the reserve has the room that it takes to make room."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from peershelf.blockstore.block import Block
from peershelf.blockstore.errors import StoreFull
from peershelf.blockstore.store.live import LiveKeys
from peershelf.blockstore.store.pack import PackStore

SEGMENT_SIZE = 4 << 20
FillUp = Callable[[Path], None]


@pytest.fixture
def disk(disk_of: Callable[[str], Path]) -> Path:
    return disk_of("24m")


def open_store(directory: Path) -> PackStore:
    return PackStore.open(directory / "store", segment_size=SEGMENT_SIZE)


def fill(store: PackStore, size: int) -> list[Block]:
    """Put blocks until none goes in any more."""
    held: list[Block] = []
    with pytest.raises(StoreFull):
        while True:
            batch = [Block.create(os.urandom(size)) for _ in range(max(1, (256 << 10) // size))]
            store.put_many(batch)
            held += batch
    return held


def collect(store: PackStore, live: Iterable[Block]) -> int:
    keys = {block.cid.multihash for block in live}
    with store.collecting() as collection:
        return sum(step.freed for step in collection.sweep(LiveKeys(keys)))


def spread(blocks: list[Block]) -> list[Block]:
    """Two of three: there is much to copy in every segment."""
    return [block for number, block in enumerate(blocks) if number % 3]


@pytest.mark.parametrize("size", [1000, 100_000, 2 << 20])
@pytest.mark.parametrize("choose", [spread, lambda blocks: blocks[::2], lambda blocks: blocks[-1:]])
def test_space_comes_back_although_there_is_none(
    disk: Path, fill_up: FillUp, size: int, choose: Callable[[list[Block]], list[Block]]
) -> None:
    (disk / "store").mkdir()
    with open_store(disk) as store:
        held = fill(store, size)
        assert (disk / "store" / "reserve").exists()
        fill_up(disk)
        live = choose(held)
        assert collect(store, live) > 0
        assert all(store.get(block.cid) == block.data for block in live)
        store.put_many([Block.create(os.urandom(size))])
    with open_store(disk) as store:
        assert not store.recovery.index_rebuilt
        assert all(store.get(block.cid) == block.data for block in live)


def test_the_reserve_is_kept_again_once_there_is_room(disk: Path, fill_up: FillUp) -> None:
    (disk / "store").mkdir()
    reserve = disk / "store" / "reserve"
    with open_store(disk) as store:
        held = fill(store, 100_000)
        fill_up(disk)
        size = reserve.stat().st_size
        assert reserve.stat().st_blocks * 512 >= size
        collect(store, spread(held))
        (disk / "ballast").unlink()
        collect(store, held[:90])
        assert reserve.stat().st_size == size


def test_a_store_with_little_in_it_keeps_no_reserve(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        store.put_many([Block.create(b"little")])
    assert not (tmp_path / "store" / "reserve").exists()
