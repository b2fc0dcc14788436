"""No space left, for real and injected: a one-line error, reads go on, and the next put needs no repair."""

from __future__ import annotations

import errno
import os
import resource
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from peershelf.blockstore.block import Block
from peershelf.blockstore.errors import StoreError, StoreFull
from peershelf.blockstore.pins import Pins
from peershelf.blockstore.store.pack import PackStore, active, log

Readable = Callable[[PackStore, Iterable[Block]], list[Block]]
SIZE = 256 * 1024


def random_blocks(count: int, size: int = SIZE) -> list[Block]:
    return [Block.create(os.urandom(size)) for _ in range(count)]


@pytest.fixture
def small_disk(disk_of: Callable[[str], Path]) -> Path:
    return disk_of("4m")


@pytest.fixture
def file_size_limit() -> Iterator[Callable[[int], None]]:
    """Limit how large this process may make a file, as a quota would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def fill(store: PackStore) -> list[Block]:
    """Put blocks until none goes in any more; return those that were acknowledged."""
    held: list[Block] = []
    with pytest.raises(StoreFull, match=r"no space left while writing to .*: free some space and try again"):
        while True:
            batch = random_blocks(3)
            store.put_many(batch)
            held += batch
    assert held
    return held


def test_a_full_file_system(small_disk: Path, readable: Readable) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(1 << 20))
    with PackStore.open(small_disk) as store:
        held = fill(store)
        assert readable(store, held) == held
        with pytest.raises(StoreFull):
            store.put_many(random_blocks(3))
        ballast.unlink()
        more = random_blocks(2)
        store.put_many(more)
        assert readable(store, held + more) == held + more
    with PackStore.open(small_disk) as store:
        assert store.recovery.truncated == 0
        assert store.recovery.damage == ()
        assert readable(store, held + more) == held + more


def test_a_full_file_system_does_not_keep_a_store_from_opening(small_disk: Path, readable: Readable) -> None:
    with PackStore.open(small_disk) as store:
        held = fill(store)
    (small_disk / "rest").write_bytes(bytes(shutil.disk_usage(small_disk).free - 100_000))
    with PackStore.open(small_disk) as store:
        assert readable(store, held) == held


def test_repairs_that_find_no_space_are_made_at_the_next_opening(
    small_disk: Path, readable: Readable
) -> None:
    tiny = [Block.create(b"%d" % number) for number in range(5000)]
    with PackStore.open(small_disk) as store:
        store.put_many(tiny)
    (small_disk / "index.db").unlink()
    (small_disk / "rest").write_bytes(bytes(shutil.disk_usage(small_disk).free - 100_000))
    with pytest.raises(StoreFull, match=r"index\.db"):
        PackStore.open(small_disk)
    (small_disk / "rest").unlink()
    with PackStore.open(small_disk) as store:
        assert readable(store, tiny) == tiny


def test_a_limit_on_file_size(
    tmp_path: Path, readable: Readable, file_size_limit: Callable[[int], None]
) -> None:
    with PackStore.open(tmp_path) as store:
        file_size_limit(3 << 20)
        held = fill(store)
        assert readable(store, held) == held
        (segment,) = (tmp_path / "segments").glob("*.seg")
        assert segment.stat().st_size <= 3 << 20
        file_size_limit(64 << 20)
        more = random_blocks(2)
        store.put_many(more)
        assert readable(store, held + more) == held + more
    with PackStore.open(tmp_path) as store:
        assert store.recovery.damage == ()
        assert readable(store, held + more) == held + more


class FullDisk:
    """Makes writes to segments stop after a number of bytes, in the middle of a buffer if need be."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.room: int | None = None
        self._pwritev = os.pwritev
        monkeypatch.setattr(os, "pwritev", self.pwritev)

    def pwritev(self, descriptor: int, buffers: Any, offset: int) -> int:
        if self.room is None:
            return self._pwritev(descriptor, buffers, offset)
        data = b"".join(buffers)[: self.room]
        if not data:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.room -= len(data)
        return self._pwritev(descriptor, [data], offset)


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> FullDisk:
    return FullDisk(monkeypatch)


@pytest.mark.parametrize("room", [0, 1, 20, 56, 57, 1055, 1056, 1057, 2500, 5 * 1056 - 1])
@pytest.mark.parametrize("durable", [True, False])
@pytest.mark.parametrize("large", [active.LARGE, 4096])
def test_the_segment_is_cut_back_to_its_last_whole_record(
    damaged: Any,
    readable: Readable,
    full_disk: FullDisk,
    monkeypatch: pytest.MonkeyPatch,
    room: int,
    durable: bool,
    large: int,
) -> None:
    monkeypatch.setattr(active, "LARGE", large)
    new = random_blocks(5, 1000)
    with damaged.open() as store:
        store.put_many(random_blocks(1, 1000))
        size = damaged.segments[-1].stat().st_size
        full_disk.room = room
        with pytest.raises(StoreFull):
            store.put_many(new, durable=durable)
        assert damaged.segments[-1].stat().st_size == size
        assert readable(store, damaged.blocks) == damaged.blocks
        full_disk.room = None
        store.put_many(new)
        assert readable(store, new) == new
    damaged.lose_index()
    with damaged.open() as store:
        assert store.recovery.damage == ()
        assert readable(store, damaged.blocks + new) == damaged.blocks + new


def test_what_was_pending_before_is_not_lost(damaged: Any, readable: Readable, full_disk: FullDisk) -> None:
    pending, refused = random_blocks(3, 1000), random_blocks(3, 1000)
    with damaged.open() as store:
        store.put_many(pending, durable=False)
        full_disk.room = 1500
        with pytest.raises(StoreFull):
            store.put_many(refused)
        assert readable(store, pending) == pending
        store.sync()
    with damaged.open() as store:
        assert readable(store, pending) == pending


def test_deleting_on_a_full_disk_fails_cleanly(damaged: Any, readable: Readable, full_disk: FullDisk) -> None:
    with damaged.open() as store:
        full_disk.room = 70
        with pytest.raises(StoreFull):
            store.delete_many([block.cid for block in damaged.blocks])
        assert readable(store, damaged.blocks) == damaged.blocks
        full_disk.room = None
        assert store.delete_many([block.cid for block in damaged.blocks]) == 30


def test_when_the_cut_fails_too_the_rest_is_written_over(
    damaged: Any, readable: Readable, full_disk: FullDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    new = random_blocks(4, 1000)
    with damaged.open() as store:
        store.put_many(new[:1])
        with monkeypatch.context() as patch:
            patch.setattr(os, "ftruncate", refuse)
            full_disk.room = 3000
            with pytest.raises(StoreFull):
                store.put_many(random_blocks(4, 1000))
        full_disk.room = None
        store.put_many(new[1:2])
    damaged.lose_index()
    with damaged.open() as store:
        store.put_many(new[2:])
        assert readable(store, damaged.blocks + new) == damaged.blocks + new


def put_until(failure: type[StoreError], store: PackStore, blocks: list[Block]) -> list[Block]:
    """Put blocks 500 at a time until that fails; return those that were acknowledged."""
    acknowledged: list[Block] = []
    with pytest.raises(failure, match=r"index\.db"):
        for start in range(0, len(blocks), 500):
            store.put_many(blocks[start : start + 500])
            acknowledged += blocks[start : start + 500]
    return acknowledged


def check_after_failed_commit(store: PackStore, acknowledged: list[Block], blocks: list[Block]) -> None:
    """What was acknowledged is there, and so is what is synced in the segment but has no row yet."""
    found = [block for block in blocks if store.has(block.cid)]
    assert found == blocks[: len(acknowledged) + 500]
    assert all(store.get(block.cid) == block.data for block in found)
    assert store.stats().blocks == len(found)


@pytest.fixture
def nearly_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """Little is left on the disk, so each put is put into the index at once."""
    monkeypatch.setattr(log, "is_scarce", lambda directory: True)


@pytest.mark.usefixtures("nearly_full")
def test_an_index_that_hits_a_limit(
    tmp_path: Path, readable: Readable, file_size_limit: Callable[[int], None]
) -> None:
    tiny = [Block.create(b"%d" % number) for number in range(20_000)]
    with PackStore.open(tmp_path) as store:
        file_size_limit(300_000)
        acknowledged = put_until(StoreError, store, tiny)
        check_after_failed_commit(store, acknowledged, tiny)
        with pytest.raises(StoreError):
            store.put_many(tiny)
        file_size_limit(64 << 20)
        store.put_many(tiny)
        assert readable(store, tiny) == tiny
    with PackStore.open(tmp_path) as store:
        assert readable(store, tiny) == tiny


def test_an_index_on_a_full_file_system(small_disk: Path, readable: Readable) -> None:
    tiny = [Block.create(b"%d" % number) for number in range(40_000)]
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(1 << 20))
    with PackStore.open(small_disk) as store:
        acknowledged = put_until(StoreFull, store, tiny)
        check_after_failed_commit(store, acknowledged, tiny)
        ballast.unlink()
        again = tiny[: len(acknowledged) + 500]
        store.put_many(again)
        assert readable(store, again) == again
    with PackStore.open(small_disk) as store:
        assert readable(store, again) == again


@pytest.mark.usefixtures("nearly_full")
def test_a_commit_that_fails_is_made_up_for(damaged: Any, readable: Readable) -> None:
    new, more = random_blocks(100, 10), random_blocks(100, 10)
    with damaged.open() as store:
        store._pack.index._writer.execute("PRAGMA max_page_count = 1")
        with pytest.raises(StoreFull):
            store.put_many(new)
        assert readable(store, new) == new
        assert store.stats().blocks == 130
        with pytest.raises(StoreFull):
            store.put_many(more)
        assert readable(store, more) == []
        store._pack.index._writer.execute("PRAGMA max_page_count = 1000000")
        store.put_many(more)
        assert readable(store, damaged.blocks + new + more) == damaged.blocks + new + more
    with damaged.open() as store:
        assert store.recovery.replayed == 0
        assert readable(store, damaged.blocks + new + more) == damaged.blocks + new + more


def test_a_pin_on_a_full_file_system(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(3_500_000))
    cids = [Block.create(b"%d" % number).cid for number in range(3000)]
    with Pins(small_disk / "facts.db") as pins:
        pinned = []
        with pytest.raises(StoreFull, match=r"no space left while writing to .*facts\.db"):
            for cid in cids:
                pins.add(cid, name="x" * 200)
                pinned.append(cid)
        assert {pin.cid for pin in pins.list()} == set(pinned)
        ballast.unlink()
        pins.add(cids[-1])
        assert {pin.cid for pin in pins.list()} == {*pinned, cids[-1]}
