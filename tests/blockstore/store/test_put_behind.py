"""Puts whose bytes are written behind them: readers wait for these, and the next call tells of failures."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import BlockNotFound, StoreError, StoreFull
from peershelf.blockstore.store.base import Hold
from peershelf.blockstore.store.pack import PackStore, RecoveryReport
from peershelf.blockstore.store.pack.log import Log
from peershelf.blockstore.store.pack.staging import AREA, Staging

WAIT = 30
"""Seconds after which a test that hangs fails."""


class SlowDisk:
    """Keeps writes to segments waiting while it is `held`, and fails those at and behind `failing`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.going_on = threading.Event()
        self.going_on.set()
        self.failing: int | None = None
        self.code = errno.ENOSPC
        self._pwritev = os.pwritev
        monkeypatch.setattr(os, "pwritev", self.pwritev)

    def hold(self) -> None:
        self.going_on.clear()

    def go_on_with(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        """Let writes go on once this method of the log is called."""
        method = getattr(Log, name)

        def called(log: Log, *arguments: int) -> None:
            self.going_on.set()
            method(log, *arguments)

        monkeypatch.setattr(Log, name, called)

    def pwritev(self, descriptor: int, buffers: Any, offset: int) -> int:
        assert self.going_on.wait(WAIT)
        if self.failing is not None and offset >= self.failing:
            raise OSError(self.code, os.strerror(self.code))
        return self._pwritev(descriptor, buffers, offset)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowDisk]:
    disk = SlowDisk(monkeypatch)
    yield disk
    disk.going_on.set()


@pytest.fixture
def store(tmp_path: Path, disk: SlowDisk) -> Iterator[PackStore]:
    with PackStore.open(tmp_path) as store:
        yield store
        disk.going_on.set()
        disk.failing = None


@pytest.fixture
def hold(store: PackStore) -> Iterator[Hold]:
    with store.hold() as hold:
        yield hold


def large_blocks(count: int) -> list[Block]:
    return [Block.create(os.urandom(1 << 20)) for _ in range(count)]


def readable(store: PackStore, blocks: list[Block]) -> list[Block]:
    """Return those blocks that are there, with the right bytes."""
    return [block for block in blocks if store.has(block.cid) and store.get(block.cid) == block.data]


@pytest.mark.parametrize("read", [PackStore.get, PackStore.get_unhashed])
def test_the_put_returns_while_the_disk_writes_and_a_reader_waits(
    store: PackStore,
    hold: Hold,
    disk: SlowDisk,
    monkeypatch: pytest.MonkeyPatch,
    read: Callable[[PackStore, Cid], bytes | memoryview],
) -> None:
    blocks = large_blocks(3)
    disk.go_on_with(monkeypatch, "await_written")
    disk.hold()
    hold.put_behind(blocks)
    assert not disk.going_on.is_set()
    assert read(store, blocks[-1].cid) == blocks[-1].data
    assert readable(store, blocks) == blocks


def test_what_was_put_before_is_read_without_waiting(store: PackStore, hold: Hold, disk: SlowDisk) -> None:
    before, behind = large_blocks(2), large_blocks(2)
    store.put_many(before, durable=False)
    disk.hold()
    hold.put_behind(behind)
    assert readable(store, before) == before
    assert not disk.going_on.is_set()


def test_it_is_all_durable_after_a_sync(tmp_path: Path, store: PackStore, hold: Hold, disk: SlowDisk) -> None:
    losses, blocks = store.losses, large_blocks(70)
    for start in range(0, len(blocks), 7):
        hold.put_behind(blocks[start : start + 7])
    store.sync(losses=losses)
    # As after a kill: nothing but the segments.
    copy = tmp_path / "copy" / "segments"
    copy.mkdir(parents=True)
    segments = sorted((tmp_path / "segments").glob("*.seg"))
    assert len(segments) == 2
    for path in segments:
        (copy / path.name).hardlink_to(path)
    with PackStore.open(copy.parent) as other:
        assert other.recovery.damage == ()
        assert readable(other, blocks) == blocks


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_a_write_that_fails_fails_the_sync(
    tmp_path: Path, store: PackStore, hold: Hold, disk: SlowDisk, code: int
) -> None:
    before, losses = large_blocks(1), store.losses
    store.put_many(before)
    behind = large_blocks(3)
    disk.failing, disk.code = 2 << 20, code
    hold.put_behind(behind)
    with pytest.raises(StoreFull if code == errno.ENOSPC else StoreError, match="writing to 00000001-"):
        store.sync(losses=losses)
    with pytest.raises(StoreError, match="failed meanwhile"):
        store.sync(losses=losses)
    assert readable(store, before + behind) == before
    disk.failing = None
    hold.put_behind(behind)
    store.sync(losses=store.losses)
    assert readable(store, before + behind) == before + behind
    store.close()
    with PackStore.open(tmp_path) as again:
        assert again.recovery.damage == ()
        assert readable(again, before + behind) == before + behind


def test_a_write_that_fails_fails_the_next_put(store: PackStore, hold: Hold, disk: SlowDisk) -> None:
    losses, first, second = store.losses, large_blocks(2), large_blocks(40)
    disk.failing = 0
    hold.put_behind(first)
    with pytest.raises(StoreFull):
        hold.put_behind(second)
    assert readable(store, first + second) == []
    with pytest.raises(StoreError, match="failed meanwhile"):
        store.sync(losses=losses)


@pytest.mark.parametrize("size", [100, 1 << 20])
def test_others_are_told_and_the_one_who_put_is_too(
    store: PackStore, hold: Hold, disk: SlowDisk, size: int
) -> None:
    losses, behind, other = store.losses, large_blocks(2), Block.create(bytes(size))
    disk.failing = 0
    hold.put_behind(behind)
    with pytest.raises(StoreFull):
        store.put_many([other])
    disk.failing = None
    store.put_many([other])
    with pytest.raises(StoreError, match="failed meanwhile"):
        store.sync(losses=losses)
    assert readable(store, [other, *behind]) == [other]


def test_a_block_whose_write_failed_is_an_error_and_the_index_is_still_believed(
    tmp_path: Path, store: PackStore, hold: Hold, disk: SlowDisk
) -> None:
    before, behind = large_blocks(1), large_blocks(2)
    store.put_many(before)
    disk.failing, disk.code = 1 << 20, errno.EIO
    hold.put_behind(behind)
    with pytest.raises(StoreError, match="writing to 00000001-"):
        store.get(behind[1].cid)
    with pytest.raises(StoreError, match="writing to 00000001-"):
        store.sync()
    with pytest.raises(BlockNotFound):
        store.get(behind[1].cid)
    assert readable(store, before) == before
    store.close()
    with PackStore.open(tmp_path) as again:
        assert again.recovery == RecoveryReport()
        assert readable(again, before) == before


def test_a_collection_waits_for_what_is_on_its_way(
    store: PackStore, hold: Hold, disk: SlowDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind = large_blocks(2)
    disk.hold()
    hold.put_behind(behind)
    disk.go_on_with(monkeypatch, "wait")
    assert not disk.going_on.is_set()
    with store.collecting():
        assert disk.going_on.is_set()
        assert readable(store, behind) == behind


def test_no_thread_outlives_the_store(tmp_path: Path) -> None:
    before = threading.active_count()
    with PackStore.open(tmp_path, segment_size=8 << 20) as store, store.hold() as hold:
        for _ in range(4):
            hold.put_behind(large_blocks(5))
        assert threading.active_count() <= before + 1
    assert threading.active_count() == before


def test_areas_take_turns_while_one_is_written() -> None:
    staging = Staging()
    pieces: list[tuple[bytes, int]] = []
    futures: list[Future[None]] = []

    def submit(piece: memoryview, offset: int) -> Future[None]:
        pieces.append((bytes(piece[:1]), offset))
        futures.append(Future[None]())
        return futures[-1]

    staging.write([b"a" * AREA], 0, submit)
    futures[0].set_result(None)
    staging.write([b"b" * 10], AREA, submit)
    # The second one is on its way: the other area is taken, and what is in this one stays.
    staging.write([b"c" * 10], AREA + 10, submit)
    assert pieces == [(b"a", 0), (b"b", AREA), (b"c", AREA + 10)]
