"""What the pack store syncs, and in which order: bytes, then names, then, much later, the index."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from peershelf.blockstore.block import Block
from peershelf.blockstore.store.pack import PackStore, log
from peershelf.blockstore.store.pack.index import Index
from peershelf.blockstore.store.pack.segments import Location, Segment

MakeBlocks = Callable[..., list[Block]]
BYTES, NAMES = "segment's bytes", "directory"


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the store does that a power loss could tell apart, in order."""
    seen: list[str] = []
    fsync, fdatasync, commit = os.fsync, os.fdatasync, Index.commit

    def record_fsync(descriptor: int) -> None:
        fsync(descriptor)
        seen.append(NAMES if stat.S_ISDIR(os.fstat(descriptor).st_mode) else BYTES)

    def record_fdatasync(descriptor: int) -> None:
        fdatasync(descriptor)
        seen.append(BYTES)

    def record_commit(
        index: Index, changes: Mapping[bytes, Location | None], segment: Segment, indexed: int
    ) -> None:
        commit(index, changes, segment, indexed)
        seen.append(f"{len(changes)} rows")

    monkeypatch.setattr(os, "fsync", record_fsync)
    monkeypatch.setattr(os, "fdatasync", record_fdatasync)
    monkeypatch.setattr(Index, "commit", record_commit)
    return seen


@pytest.fixture
def store(tmp_path: Path, events: list[str], make_blocks: MakeBlocks) -> Iterator[PackStore]:
    """A store with one block that is durable, and in the index."""
    with PackStore.open(tmp_path) as store:
        store.put_many(make_blocks(1, label="first"))
    with PackStore.open(tmp_path) as store:
        events.clear()
        yield store


def test_opening_makes_its_directory_durable(tmp_path: Path, events: list[str]) -> None:
    PackStore.open(tmp_path).close()
    assert events == [NAMES]


def test_a_durable_put_of_many_is_one_sync(
    store: PackStore, events: list[str], make_blocks: MakeBlocks
) -> None:
    store.put_many(make_blocks(5000))
    assert events == [BYTES]


def test_a_new_segments_name_is_durable_before_its_rows(
    tmp_path: Path, events: list[str], make_blocks: MakeBlocks
) -> None:
    with PackStore.open(tmp_path) as store:
        events.clear()
        store.put_many(make_blocks(10))
        assert events == [BYTES, NAMES]
    assert events == [BYTES, NAMES, "10 rows"]


def test_the_first_change_to_a_closed_index_breaks_its_seal_durably(
    store: PackStore, tmp_path: Path, events: list[str], make_blocks: MakeBlocks
) -> None:
    store.close()
    with PackStore.open(tmp_path) as again:
        assert (tmp_path / "index.sum").exists()
        again.put_many(make_blocks(1))
        again.delete_many([make_blocks(1)[0].cid])
        assert not (tmp_path / "index.sum").exists()
        assert events == [BYTES, BYTES, NAMES, "1 rows"]
        again.delete_many([make_blocks(1, label="first")[0].cid])
        assert events == [BYTES, BYTES, NAMES, "1 rows", BYTES, "1 rows"]
    assert (tmp_path / "index.sum").exists()


def test_a_put_over_two_segments_syncs_each_of_them(
    tmp_path: Path, events: list[str], make_blocks: MakeBlocks
) -> None:
    with PackStore.open(tmp_path, segment_size=1600) as store:
        events.clear()
        store.put_many(make_blocks(12))
        assert events == [BYTES, NAMES, "10 rows", BYTES, NAMES]


def test_an_unsynced_put_syncs_nothing_until_asked(
    store: PackStore, events: list[str], make_blocks: MakeBlocks
) -> None:
    store.put_many(make_blocks(3), durable=False)
    store.put_many(make_blocks(5), durable=False)
    assert events == []
    store.sync()
    assert events == [BYTES]
    store.sync()
    assert events == [BYTES]


def test_a_durable_put_syncs_what_is_there_but_not_durable_yet(
    store: PackStore, events: list[str], make_blocks: MakeBlocks
) -> None:
    store.put_many(make_blocks(3), durable=False)
    store.put_many(make_blocks(3))
    assert events == [BYTES]


def test_a_durable_put_of_what_is_durable_syncs_nothing(
    store: PackStore, events: list[str], make_blocks: MakeBlocks
) -> None:
    store.put_many(make_blocks(1, label="first"))
    assert events == []


def test_closing_syncs(store: PackStore, events: list[str], make_blocks: MakeBlocks) -> None:
    store.put_many(make_blocks(3), durable=False)
    store.close()
    assert events == [BYTES, NAMES, "3 rows"]


def test_a_deletion_is_durable(store: PackStore, events: list[str], make_blocks: MakeBlocks) -> None:
    held = make_blocks(2)
    store.put_many(held)
    events.clear()
    store.delete_many([block.cid for block in held])
    assert events == [BYTES, NAMES, "2 rows"]
    store.delete_many([block.cid for block in held])
    assert events == [BYTES, NAMES, "2 rows"]


def test_the_index_learns_of_much_at_once(
    store: PackStore, events: list[str], monkeypatch: pytest.MonkeyPatch, make_blocks: MakeBlocks
) -> None:
    monkeypatch.setattr(log, "_MAX_PENDING_RECORDS", 20)
    for number in range(12):
        store.put_many(make_blocks(5, label=f"{number}-"))
    assert [event for event in events if event.endswith("rows")] == ["20 rows"] * 3


def test_the_index_learns_of_each_put_where_space_is_scarce(
    store: PackStore, events: list[str], monkeypatch: pytest.MonkeyPatch, make_blocks: MakeBlocks
) -> None:
    monkeypatch.setattr(log, "is_scarce", lambda directory: True)
    store.put_many(make_blocks(5))
    assert events == [BYTES, NAMES, "5 rows"]


def test_what_is_durable_is_found_again_without_the_index(
    store: PackStore, events: list[str], tmp_path: Path, make_blocks: MakeBlocks
) -> None:
    held = make_blocks(7)
    store.put_many(held)
    assert events == [BYTES]
    shutil.copytree(tmp_path, tmp_path / "killed", ignore=shutil.ignore_patterns("killed"))
    with PackStore.open(tmp_path / "killed") as again:
        assert again.recovery.replayed == 7
        assert [again.get(block.cid) for block in held] == [block.data for block in held]


def test_an_index_that_finds_no_space_at_the_end_is_made_up_for_when_opened(
    store: PackStore, events: list[str], tmp_path: Path, make_blocks: MakeBlocks
) -> None:
    store.put_many(make_blocks(300))
    store._pack.index._writer.execute("PRAGMA max_page_count = 1")
    store.close()
    assert events == [BYTES, NAMES]
    with PackStore.open(tmp_path) as again:
        assert again.recovery.replayed == 300
        assert again.stats().blocks == 301


def test_what_a_kill_left_is_synced_before_it_is_indexed(
    store: PackStore, events: list[str], tmp_path: Path, make_blocks: MakeBlocks
) -> None:
    store.put_many(make_blocks(3), durable=False)
    shutil.copytree(tmp_path, tmp_path / "killed", ignore=shutil.ignore_patterns("killed"))
    with PackStore.open(tmp_path / "killed") as again:
        assert again.recovery.replayed == 3
        assert events == [BYTES, NAMES, NAMES, "3 rows"]


def test_a_segment_that_was_cut_is_synced_before_the_index_believes_in_it(
    tmp_path: Path, events: list[str], make_blocks: MakeBlocks
) -> None:
    with PackStore.open(tmp_path, segment_size=1600) as store:
        store.put_many(make_blocks(12))
    first = min((tmp_path / "segments").glob("*.seg"))
    os.truncate(first, 312)
    events.clear()
    with PackStore.open(tmp_path, segment_size=1600) as store:
        assert store.recovery.dropped == 8
        # The directory for the seal.
        assert events == [BYTES, NAMES]


def test_unsynced_bytes_are_bounded(store: PackStore, events: list[str], make_blocks: MakeBlocks) -> None:
    for number in range(70):
        store.put_many(make_blocks(1, size=1 << 20, label=f"{number}-"), durable=False)
    assert events == [BYTES, BYTES, NAMES, "63 rows"]


def test_unsynced_records_are_bounded(
    store: PackStore, events: list[str], monkeypatch: pytest.MonkeyPatch, make_blocks: MakeBlocks
) -> None:
    monkeypatch.setattr(log, "_MAX_PENDING_RECORDS", 1000)
    store.put_many(make_blocks(6000), durable=False)
    assert events.count(BYTES) >= 3


def test_files_are_for_their_owner_only(tmp_path: Path, make_blocks: MakeBlocks) -> None:
    with PackStore.open(tmp_path) as store:
        store.put_many(make_blocks(1))
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert len(files) == 5
        assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
        assert (tmp_path / "segments").stat().st_mode & 0o777 == 0o700
