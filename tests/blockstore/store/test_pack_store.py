"""What the pack store does beyond the interface."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from peershelf.blockstore.block import MAX_BLOCK_SIZE, Block
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import BlockTooLarge, StoreError, StoreLocked
from peershelf.blockstore.multihash import SHA2_256, multihash
from peershelf.blockstore.store.pack import PackStore, RecoveryReport

MakeBlocks = Callable[..., list[Block]]


def test_a_store_holds_what_it_held_when_it_was_closed(tmp_path: Path, make_blocks: MakeBlocks) -> None:
    durable, unsynced, deleted = (
        make_blocks(50, label=label) for label in ("durable", "unsynced", "deleted")
    )
    with PackStore.open(tmp_path, segment_size=4096) as store:
        store.put_many(durable + deleted)
        store.delete_many([block.cid for block in deleted])
        store.put_many(unsynced, durable=False)
        before = store.stats()
    with PackStore.open(tmp_path, segment_size=4096) as store:
        assert store.recovery == RecoveryReport()
        assert [store.get(block.cid) for block in durable + unsynced] == [
            block.data for block in durable + unsynced
        ]
        assert not any(store.has(block.cid) for block in deleted)
        after = store.stats()
        assert (after.blocks, after.payload_size) == (before.blocks, before.payload_size) == (100, 10_000)


def test_opening_a_store_in_order_reads_no_segment(
    tmp_path: Path, make_blocks: MakeBlocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    with PackStore.open(tmp_path) as store:
        store.put_many(make_blocks(10))
    monkeypatch.delattr("peershelf.blockstore.store.pack.scan.scan")
    with PackStore.open(tmp_path) as store:
        assert store.stats().blocks == 10


def test_one_store_is_open_once(tmp_path: Path) -> None:
    with PackStore.open(tmp_path), pytest.raises(StoreLocked, match="is in use by process"):
        PackStore.open(tmp_path)
    PackStore.open(tmp_path).close()


def test_segments_are_filled_up_to_their_size(tmp_path: Path, make_blocks: MakeBlocks) -> None:
    with PackStore.open(tmp_path, segment_size=1600) as store:
        store.put_many(make_blocks(25))
        store.put_many(make_blocks(5, label="more"))
    sizes = [path.stat().st_size for path in sorted((tmp_path / "segments").glob("*.seg"))]
    assert sizes == [1560, 1560, 1560]


def test_a_segment_takes_a_record_that_is_larger_than_itself(tmp_path: Path, make_blocks: MakeBlocks) -> None:
    with PackStore.open(tmp_path, segment_size=10) as store:
        store.put_many(make_blocks(3))
        assert store.stats().blocks == 3
    assert len(list((tmp_path / "segments").glob("*.seg"))) == 3


def test_a_block_over_the_limit_is_refused(tmp_path: Path) -> None:
    data = bytes(MAX_BLOCK_SIZE + 1)
    cid = Cid.v1(0x55, multihash(SHA2_256, data))
    with PackStore.open(tmp_path) as store, pytest.raises(BlockTooLarge):
        store.put_many([Block(cid, data)])


def test_disk_size_is_what_the_files_take(tmp_path: Path, make_blocks: MakeBlocks) -> None:
    with PackStore.open(tmp_path) as store:
        store.put_many(make_blocks(10, size=10_000))
        files = [*tmp_path.glob("index.db*"), *(tmp_path / "segments").iterdir()]
        assert store.stats().disk_size == sum(path.stat().st_size for path in files)


def test_closing_gives_every_file_back(tmp_path: Path, make_blocks: MakeBlocks) -> None:
    process = psutil.Process()
    PackStore.open(tmp_path / "warm up").close()
    before = process.num_fds()
    with PackStore.open(tmp_path / "store", segment_size=1600) as store:
        held = make_blocks(200)
        store.put_many(held)
        assert all(store.get(block.cid) for block in held)
        assert process.num_fds() > before
    assert process.num_fds() == before


def test_a_store_that_cannot_be_opened_is_not_left_half_open(tmp_path: Path, make_blocks: MakeBlocks) -> None:
    with PackStore.open(tmp_path) as store:
        store.put_many(make_blocks(1))
    (segment,) = (tmp_path / "segments").glob("*.seg")
    twin = segment.with_name("00000001-0000000000000000.seg")
    twin.touch()
    before = psutil.Process().num_fds()
    with pytest.raises(StoreError, match="two segments of one number"):
        PackStore.open(tmp_path)
    assert psutil.Process().num_fds() == before
    twin.unlink()
    with PackStore.open(tmp_path) as store:
        assert store.stats().blocks == 1


def test_a_file_where_the_directory_should_be(tmp_path: Path) -> None:
    (tmp_path / "segments").touch()
    with pytest.raises(StoreError, match=r"File exists|Not a directory"):
        PackStore.open(tmp_path)
