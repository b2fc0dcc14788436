"""What a collection does to a pack store's files."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path

import pytest

from peershelf.blockstore.block import Block
from peershelf.blockstore.errors import CorruptBlock
from peershelf.blockstore.store.live import LiveKeys
from peershelf.blockstore.store.pack import PackStore
from peershelf.blockstore.store.pack.collection import choose_victims

MakeBlocks = Callable[..., list[Block]]
SEGMENT_SIZE = 1600
"""Bytes: ten records of 100-byte blocks."""


def open_store(directory: Path) -> PackStore:
    return PackStore.open(directory, segment_size=SEGMENT_SIZE)


def only(live: Iterable[Block]) -> LiveKeys:
    return LiveKeys(block.cid.multihash for block in live)


def collect(store: PackStore, live: Iterable[Block] = (), *, steps: int | None = None) -> int:
    """Sweep, as far as told. Returns the bytes that it says it freed."""
    with store.collecting() as collection:
        return sum(step.freed for step in islice(collection.sweep(only(live)), steps))


def segments(directory: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in sorted((directory / "segments").glob("*.seg"))}


def readable(store: PackStore, blocks: Iterable[Block]) -> list[Block]:
    found = [block for block in blocks if store.has(block.cid)]
    assert [store.get(block.cid) for block in found] == [block.data for block in found]
    return found


def test_space_comes_back_and_the_sum_of_the_steps_says_how_much(
    tmp_path: Path, make_blocks: MakeBlocks
) -> None:
    held = make_blocks(200)
    with open_store(tmp_path) as store:
        store.put_many(held)
        before = sum(segments(tmp_path).values())
        freed = collect(store, held[::7])
        after = sum(segments(tmp_path).values())
        assert after == 156 * len(held[::7])
        assert freed == before - after
        assert readable(store, held) == held[::7]
    (tmp_path / "index.db").unlink()
    with open_store(tmp_path) as store:
        assert readable(store, held) == held[::7]


def test_a_segment_without_garbage_is_left_alone(tmp_path: Path, make_blocks: MakeBlocks) -> None:
    held = make_blocks(100)
    with open_store(tmp_path) as store:
        store.put_many(held)
        before = segments(tmp_path)
        collect(store, held[:50])
        assert list(segments(tmp_path).items())[:5] == list(before.items())[:5]


def test_nothing_is_written_where_there_is_nothing_to_do(tmp_path: Path, make_blocks: MakeBlocks) -> None:
    held = make_blocks(25)
    with open_store(tmp_path) as store:
        store.put_many(held)
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.suffix in (".seg", ".sum")}
    with open_store(tmp_path) as store:
        assert collect(store, held) == 0
        assert {path: path.read_bytes() for path in files} == files


def test_what_a_hold_protects_is_not_copied_about(tmp_path: Path, make_blocks: MakeBlocks) -> None:
    """An add that is under way looks like garbage to whoever reads the pins alone."""
    old, new = make_blocks(10, label="old"), make_blocks(100, label="new")
    with open_store(tmp_path) as store:
        store.put_many(old)
        with store.hold() as hold:
            hold.put_many(new)
            before = segments(tmp_path)
            collect(store, old)
            assert segments(tmp_path) == before
        collect(store, old)
        assert readable(store, [*old, *new]) == old


def test_a_hold_still_protects_what_was_moved(tmp_path: Path, make_blocks: MakeBlocks) -> None:
    held, garbage = make_blocks(30), make_blocks(30, label="garbage")
    mixed = [block for pair in zip(held, garbage, strict=True) for block in pair]
    with open_store(tmp_path) as store:
        store.put_many(mixed)
        with store.hold() as hold:
            assert len(hold.keep(block.cid for block in held)) == len(held)
            collect(store)
            assert readable(store, mixed) == held
            collect(store)
            assert readable(store, mixed) == held
        collect(store)
        assert readable(store, mixed) == []


def test_deleted_blocks_stay_deleted_when_their_tombstones_segment_goes(
    tmp_path: Path, make_blocks: MakeBlocks
) -> None:
    """Of the deleted one's own segment too little is dead for it to be emptied: its record is still there."""
    kept, deleted = make_blocks(80, size=5), make_blocks(1, size=6, label="deleted")
    with PackStore.open(tmp_path, segment_size=5200) as store:
        store.put_many([*deleted, *kept])
        store.put_many(make_blocks(60, label="filler"))
        store.delete_many([block.cid for block in deleted])
        first = next(iter(segments(tmp_path)))
        collect(store, kept)
        assert first in segments(tmp_path)
        assert len(segments(tmp_path)) == 2
    (tmp_path / "index.db").unlink()
    with PackStore.open(tmp_path, segment_size=5200) as store:
        assert readable(store, [*deleted, *kept]) == kept


def test_what_is_deleted_during_a_collection_stays_deleted(tmp_path: Path, make_blocks: MakeBlocks) -> None:
    """Its tombstone may be in a victim, and its record in a segment that had nothing dead before."""
    kept, garbage = make_blocks(10), make_blocks(5, label="garbage")
    with open_store(tmp_path) as store:
        store.put_many([*kept, *garbage])
        with store.collecting() as collection:
            sweep = collection.sweep(only(kept))
            assert len(next(sweep).keys) == 5
            store.delete_many([kept[3].cid])
            list(sweep)
    (tmp_path / "index.db").unlink()
    with open_store(tmp_path) as store:
        assert readable(store, kept) == [*kept[:3], *kept[4:]]


def test_tombstones_that_are_needed_do_not_wander(tmp_path: Path, make_blocks: MakeBlocks) -> None:
    kept, deleted = make_blocks(80, size=5), make_blocks(1, size=6, label="deleted")
    with PackStore.open(tmp_path, segment_size=5200) as store:
        store.put_many([*deleted, *kept])
        store._pack.log.roll()
        store.delete_many([block.cid for block in deleted])
        before = segments(tmp_path)
        assert len(before) == 2
        collect(store, kept)
        assert segments(tmp_path) == before


def test_tombstones_go_with_the_last_record_of_their_block(tmp_path: Path, make_blocks: MakeBlocks) -> None:
    held = make_blocks(40)
    with open_store(tmp_path) as store:
        store.put_many(held)
        store.delete_many([block.cid for block in held])
        for _ in range(2):
            collect(store)
        assert sum(segments(tmp_path).values()) == 0


@pytest.mark.parametrize("offset", [3, 60], ids=["head", "payload"])
def test_a_damaged_live_record_does_not_vanish(tmp_path: Path, make_blocks: MakeBlocks, offset: int) -> None:
    """Its segment stays from there on, and others are still emptied."""
    held = make_blocks(30)
    live = [*held[:3], *held[12:14], *held[25:]]
    with open_store(tmp_path) as store:
        store.put_many(held)
        first = tmp_path / "segments" / next(iter(segments(tmp_path)))
        with first.open("r+b") as file:
            file.seek(156 + offset)
            file.write(b"\xff")
        collect(store, live)
        assert first.exists()
        if offset == 60:
            with pytest.raises(CorruptBlock):
                store.get(held[1].cid)
        else:
            assert store.get(held[1].cid) == held[1].data
        rest = [block for block in live if block != held[1]]
        assert readable(store, rest) == rest
        assert sum(segments(tmp_path).values()) < 156 * 20
        store.put_many([held[1]])
        collect(store, live)
        assert readable(store, held) == live


@pytest.mark.parametrize("steps", range(1, 12))
def test_a_sweep_that_was_left_costs_no_rebuild_and_the_next_goes_on(
    tmp_path: Path, make_blocks: MakeBlocks, steps: int
) -> None:
    held = make_blocks(60)
    with open_store(tmp_path) as store:
        store.put_many(held)
        collect(store, held[::3], steps=steps)
    with open_store(tmp_path) as store:
        assert not store.recovery.index_rebuilt
        assert store.recovery.replayed == 0
        collect(store, held[::3])
        assert readable(store, held) == held[::3]
        assert sum(segments(tmp_path).values()) == 156 * 20
        assert 0 not in list(segments(tmp_path).values())[:-1]


def test_the_index_gives_space_back(tmp_path: Path, make_blocks: MakeBlocks) -> None:
    with PackStore.open(tmp_path) as store:
        store.put_many(make_blocks(50_000, size=10))
        store._pack.log.flush()
        store._pack.index.checkpoint()
        before = (tmp_path / "index.db").stat().st_size
        records = sum(segments(tmp_path).values())
        freed = collect(store)
        after = (tmp_path / "index.db").stat().st_size
        assert after < before // 2
        assert (tmp_path / "index.db-wal").stat().st_size == 0
        assert freed == records + before - after


def test_readers_follow_records_that_are_moved(tmp_path: Path, make_blocks: MakeBlocks) -> None:
    held = make_blocks(400)
    live = held[::2]
    ended = threading.Event()
    failures: list[BaseException] = []
    with open_store(tmp_path) as store:
        store.put_many(held)

        def read() -> None:
            try:
                while not ended.is_set():
                    assert readable(store, live) == live
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=read) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            for round_number in range(6):
                store.put_many(make_blocks(200, label=str(round_number)))
                collect(store, live)
        finally:
            ended.set()
            for thread in threads:
                thread.join()
        assert failures == []
        assert readable(store, live) == live
    with open_store(tmp_path) as store:
        assert not store.recovery.index_rebuilt


@pytest.mark.parametrize(
    ("sizes", "live", "victims"),
    [
        ({}, {}, []),
        ({1: 100, 2: 100}, {1: 100, 2: 100}, []),
        ({1: 100, 2: 100}, {2: 100}, [1]),
        ({1: 100, 2: 100}, {1: 80, 2: 10}, [2, 1]),
        (dict.fromkeys(range(100), 100), dict.fromkeys(range(100), 99), []),
        ({1: 0, 2: 100}, {2: 100}, [1]),
    ],
)
def test_the_choice_of_victims(sizes: dict[int, int], live: dict[int, int], victims: list[int]) -> None:
    assert choose_victims(sizes, live, 100) == victims


def test_what_is_left_dead_is_bounded() -> None:
    sizes = dict.fromkeys(range(1000), 1000)
    live = dict.fromkeys(range(1000), 900)
    victims = choose_victims(sizes, live, 1000)
    left = sum(100 for number in sizes if number not in victims)
    assert left <= 900 * 1000 // 20
    assert left > 900 * 1000 // 20 - 100
