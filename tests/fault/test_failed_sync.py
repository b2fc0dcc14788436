"""I/O errors in fdatasync and in reads. What a failed sync left in doubt is never acknowledged."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from peershelf.blockstore.block import Block
from peershelf.blockstore.errors import CorruptBlock, StoreError, StoreFull
from peershelf.blockstore.store.pack import PackStore

Readable = Callable[[PackStore, Iterable[Block]], list[Block]]


class Disk:
    """Lets calls of the operating system fail once, as a failing disk does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def fail(self, name: str, code: int = errno.EIO, times: int = 1) -> None:
        function = getattr(os, name)
        left = times

        def failing(*arguments: Any) -> Any:
            nonlocal left
            if left:
                left -= 1
                raise OSError(code, os.strerror(code))
            return function(*arguments)

        self._monkeypatch.setattr(os, name, failing)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


@pytest.fixture
def blocks() -> list[Block]:
    return [Block.create(bytes([number]) * 1000) for number in range(10)]


def test_the_put_fails_and_the_next_goes_to_a_new_segment(
    damaged: Any, readable: Readable, disk: Disk, blocks: list[Block]
) -> None:
    with damaged.open() as store:
        store.put_many(blocks[:2])
        suspect = damaged.segments[-1]
        size = suspect.stat().st_size
        disk.fail("fdatasync")
        with pytest.raises(StoreError, match=rf"syncing {suspect.name} failed: Input/output error"):
            store.put_many(blocks[2:4])
        assert suspect.stat().st_size == size
        assert readable(store, blocks) == blocks[:2]
        store.put_many(blocks)
        assert readable(store, blocks) == blocks
        assert suspect.stat().st_size == size
        assert damaged.segments[-1] != suspect
    with damaged.open() as store:
        assert store.recovery.replayed == 0
        assert readable(store, damaged.blocks + blocks) == damaged.blocks + blocks
    damaged.lose_index()
    with damaged.open() as store:
        assert store.recovery.damage == ()
        assert readable(store, damaged.blocks + blocks) == damaged.blocks + blocks


def test_pending_blocks_are_forgotten_with_it(
    damaged: Any, readable: Readable, disk: Disk, blocks: list[Block]
) -> None:
    with damaged.open() as store:
        store.put_many(blocks[:5], durable=False)
        disk.fail("fdatasync")
        with pytest.raises(StoreError):
            store.sync()
        assert readable(store, blocks) == []
        assert store.stats().blocks == 30
        store.sync()
        store.put_many(blocks[:5])
        assert readable(store, blocks) == blocks[:5]


def test_a_deletion_that_could_not_be_synced_did_not_happen(
    damaged: Any, readable: Readable, disk: Disk
) -> None:
    with damaged.open() as store:
        disk.fail("fdatasync")
        with pytest.raises(StoreError):
            store.delete_many([damaged.blocks[0].cid])
        assert readable(store, damaged.blocks) == damaged.blocks
    damaged.lose_index()
    with damaged.open() as store:
        assert readable(store, damaged.blocks) == damaged.blocks


def test_another_threads_put_is_not_acknowledged_for_what_was_dropped(
    damaged: Any, readable: Readable, disk: Disk, blocks: list[Block]
) -> None:
    """Its blocks are appended; before it syncs, somebody else's sync fails and drops them."""
    with damaged.open() as store:

        def interrupted() -> Iterator[Block]:
            # More than a batch of blocks, so that the first ones are pending when the generator goes on.
            yield from (Block.create(b"%d" % number) for number in range(1024))
            disk.fail("fdatasync")
            with pytest.raises(StoreError):
                store.sync()
            yield blocks[0]

        with pytest.raises(StoreError, match="a sync of the store failed meanwhile"):
            store.put_many(interrupted())


def test_an_import_whose_blocks_another_threads_failed_sync_dropped_is_not_acknowledged(
    damaged: Any, disk: Disk, blocks: list[Block]
) -> None:
    with damaged.open() as store:
        losses = store.losses
        store.put_many(blocks[:5], durable=False)
        disk.fail("fdatasync")
        with pytest.raises(StoreError):
            store.sync()
        store.put_many(blocks[5:], durable=False)
        with pytest.raises(StoreError, match="a sync of the store failed meanwhile"):
            store.sync(losses=losses)
        store.sync(losses=store.losses)


def test_a_directory_that_cannot_be_synced(
    tmp_path: Path, readable: Readable, disk: Disk, blocks: list[Block]
) -> None:
    with PackStore.open(tmp_path) as store:
        disk.fail("fsync")
        with pytest.raises(StoreError, match="Input/output error"):
            store.put_many(blocks)
        assert readable(store, blocks) == []
        store.put_many(blocks)
    with PackStore.open(tmp_path) as store:
        assert readable(store, blocks) == blocks


def test_when_the_cut_fails_too_writes_are_refused_until_opened_again(
    damaged: Any, readable: Readable, disk: Disk, blocks: list[Block]
) -> None:
    with damaged.open() as store:
        disk.fail("fdatasync")
        disk.fail("ftruncate")
        with pytest.raises(StoreError):
            store.put_many(blocks)
        for use in (lambda: store.put_many(blocks), lambda: store.delete_many([damaged.blocks[0].cid])):
            with pytest.raises(StoreError, match="restart"):
                use()
        assert readable(store, damaged.blocks) == damaged.blocks
    with damaged.open() as store:
        store.put_many(blocks)
        assert readable(store, damaged.blocks + blocks) == damaged.blocks + blocks


def test_space_that_runs_out_in_the_sync_is_a_full_disk(
    damaged: Any, disk: Disk, blocks: list[Block]
) -> None:
    with damaged.open() as store:
        disk.fail("fdatasync", errno.ENOSPC)
        with pytest.raises(StoreFull):
            store.put_many(blocks)
        store.put_many(blocks)


def test_closing_releases_everything_although_its_sync_fails(
    damaged: Any, readable: Readable, disk: Disk, blocks: list[Block]
) -> None:
    store = damaged.open()
    store.put_many(blocks, durable=False)
    disk.fail("fdatasync")
    with pytest.raises(StoreError):
        store.close()
    store.close()
    with damaged.open() as store:
        assert readable(store, damaged.blocks) == damaged.blocks


def test_a_block_that_the_disk_cannot_read_counts_as_damaged(
    damaged: Any, readable: Readable, disk: Disk
) -> None:
    victim = damaged.blocks[0]
    with damaged.open() as store:
        disk.fail("pread", times=2)
        with pytest.raises(CorruptBlock):
            store.get(victim.cid)
        disk.fail("pread")
        store.put_many([victim])
        assert damaged.segments[-1].stat().st_size == 1056
        assert store.get(victim.cid) == victim.data


def test_a_failure_to_read_that_says_nothing_about_the_block_is_not_called_damage(
    damaged: Any, disk: Disk
) -> None:
    with damaged.open() as store:
        disk.fail("pread", errno.EMFILE)
        with pytest.raises(StoreError, match="reading segment 1 failed: Too many open files") as raised:
            store.get(damaged.blocks[0].cid)
        assert not isinstance(raised.value, CorruptBlock)


def test_a_disk_that_cannot_be_read_at_opening_loses_nothing(
    damaged: Any, readable: Readable, disk: Disk
) -> None:
    """Damage is not assumed where the disk refused to say: nothing is cut off, nothing skipped."""
    damaged.lose_index()
    sizes = [path.stat().st_size for path in damaged.segments]
    disk.fail("pread")
    with pytest.raises(StoreError, match=r"recovering .*\.seg failed: Input/output error"):
        damaged.open()
    assert [path.stat().st_size for path in damaged.segments] == sizes
    with damaged.open() as store:
        assert readable(store, damaged.blocks) == damaged.blocks
