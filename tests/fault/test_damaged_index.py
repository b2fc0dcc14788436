"""An index that is lost, damaged, old or foreign: it is rebuilt, and nothing that was deleted comes back."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from peershelf.blockstore.block import Block
from peershelf.blockstore.errors import StoreError
from peershelf.blockstore.store.pack import PackStore

Readable = Callable[[PackStore, Iterable[Block]], list[Block]]


def overwrite_with_zeros(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def overwrite_with_text(path: Path) -> None:
    path.write_text("this is not a database\n" * 300)


def cut_in_half(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def destroy_first_page(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(20)
        file.write(random.Random(1).randbytes(4000))


def leave_empty(path: Path) -> None:
    path.write_bytes(b"")


def run_sql(statement: str) -> Callable[[Path], None]:
    def run(path: Path) -> None:
        connection = sqlite3.connect(path)
        connection.execute(statement)
        connection.commit()
        connection.close()

    run.__name__ = statement
    return run


@pytest.mark.parametrize(
    "damage",
    [
        Path.unlink,
        overwrite_with_zeros,
        overwrite_with_text,
        cut_in_half,
        destroy_first_page,
        leave_empty,
        run_sql("CREATE TABLE more (something)"),
        run_sql("DROP TRIGGER block_added"),
        run_sql("DROP TABLE blocks"),
        run_sql("ALTER TABLE segments RENAME COLUMN indexed TO seen"),
        run_sql("UPDATE segments SET indexed = 'much'"),
    ],
    ids=lambda damage: damage.__name__,
)
def test_an_index_that_is_no_use_is_rebuilt(
    damaged: Any, readable: Readable, damage: Callable[[Path], None]
) -> None:
    damage(damaged.index)
    with damaged.open() as store:
        assert store.recovery.index_rebuilt
        assert store.recovery.replayed == 30
        assert readable(store, damaged.blocks) == damaged.blocks
        assert store.stats().blocks == 30
    with damaged.open() as store:
        assert not store.recovery.index_rebuilt


def test_leftovers_beside_a_lost_index_do_no_harm(damaged: Any, readable: Readable) -> None:
    damaged.lose_index()
    for suffix in ("-wal", "-shm"):
        damaged.index.with_name("index.db" + suffix).write_bytes(random.Random(1).randbytes(40_000))
    with damaged.open() as store:
        assert readable(store, damaged.blocks) == damaged.blocks


@pytest.mark.parametrize("sealed", [True, False])
def test_an_old_copy_of_the_index_is_brought_up_to_date(
    damaged: Any, readable: Readable, sealed: bool
) -> None:
    old = damaged.index.read_bytes()
    more = [Block.create(bytes([number]) * 700) for number in range(40)]
    with damaged.open() as store:
        store.put_many(more)
        store.delete_many([block.cid for block in damaged.blocks[5:15]])
        store.put_many(damaged.blocks[5:7])
    damaged.index.write_bytes(old)
    if not sealed:
        damaged.break_seal()
    expected = damaged.blocks[:7] + damaged.blocks[15:] + more
    with damaged.open() as store:
        # A copy without a seal is as good as what a crash leaves; with the wrong seal it is not believed.
        assert store.recovery.index_rebuilt == sealed
        assert store.recovery.replayed == 40 + 10 + 2 + (30 if sealed else 0)
        assert readable(store, damaged.blocks + more) == expected
        assert store.stats().blocks == len(expected)


def test_an_index_without_its_latest_commits_is_brought_up_to_date(
    damaged: Any, readable: Readable, tmp_path: Path
) -> None:
    """A power loss may take the index's log, or a part of it, while the segments stay."""
    more = [Block.create(bytes([number]) * 700) for number in range(20)]
    with damaged.open() as store:
        for block in more:
            store.put_many([block])
        wal = damaged.index.with_name("index.db-wal").read_bytes()
        for cut in range(0, len(wal) + 1, len(wal) // 7):
            copy = tmp_path / f"copy {cut}"
            shutil.copytree(damaged.directory, copy, ignore=shutil.ignore_patterns("lock", "*-shm"))
            (copy / "index.db-wal").write_bytes(wal[:cut])
            with PackStore.open(copy) as again:
                assert readable(again, damaged.blocks + more) == damaged.blocks + more


def test_a_deleted_block_stays_deleted_when_the_index_is_lost(damaged: Any, readable: Readable) -> None:
    with damaged.open() as store:
        store.delete_many([block.cid for block in damaged.blocks[:20]])
        store.put_many(damaged.blocks[:5])
    damaged.lose_index()
    with damaged.open() as store:
        assert readable(store, damaged.blocks) == damaged.blocks[:5] + damaged.blocks[20:]
        assert store.stats().blocks == 15


def test_an_unindexed_tail_before_indexed_segments_rebuilds_the_index(
    damaged: Any, readable: Readable
) -> None:
    """Replaying old records over newer ones would bring back what was deleted since."""
    with damaged.open() as store:
        store.delete_many([damaged.blocks[0].cid])
    run_sql("UPDATE segments SET indexed = 0 WHERE number = 1")(damaged.index)
    damaged.break_seal()
    with damaged.open() as store:
        assert store.recovery.index_rebuilt
        assert readable(store, damaged.blocks) == damaged.blocks[1:]


def test_the_index_of_another_store_is_of_no_use(damaged: Any, readable: Readable, tmp_path: Path) -> None:
    with PackStore.open(tmp_path / "other", segment_size=5000) as other:
        other.put_many([Block.create(bytes([number]) * 500) for number in range(40)])
    for name in ("index.db", "index.sum"):
        shutil.copy(tmp_path / "other" / name, damaged.directory / name)
    with damaged.open() as store:
        assert store.recovery.dropped == 40
        assert readable(store, damaged.blocks) == damaged.blocks
        assert store.stats().blocks == 30


def test_damage_that_is_met_while_open_is_repaired_by_opening_again(damaged: Any, readable: Readable) -> None:
    more = [Block.create(b"%d" % number) for number in range(5000)]
    with damaged.open() as store:
        store.put_many(more)
    with damaged.open() as store:
        assert not store.recovery.index_rebuilt
        with damaged.index.open("r+b") as file:
            file.seek(20 * 4096)
            file.write(b"\xff" * 4096 * 20)
        with pytest.raises(
            StoreError, match=r"index.db is damaged: it will be rebuilt when the store is next opened"
        ):
            readable(store, more)
    with damaged.open() as store:
        assert store.recovery.index_rebuilt
        assert readable(store, damaged.blocks + more) == damaged.blocks + more


@pytest.mark.parametrize(
    "change",
    [
        "offset = offset + 1056",
        "segment = 3 - segment",
        "segment = 77",
        "length = 999",
        "length = 1000000000000",
        "length = -1",
        "offset = -5",
        "offset = 9000000000000000000",
        "offset = 'text'",
        "length = 12.5",
        "segment = x'00'",
    ],
)
def test_rows_that_point_to_the_wrong_place_are_errors_and_have_the_index_rebuilt(
    damaged: Any, readable: Readable, change: str
) -> None:
    run_sql(f"UPDATE blocks SET {change} WHERE segment = 1")(damaged.index)
    damaged.break_seal()
    with damaged.open() as store:
        assert len(readable(store, damaged.blocks)) <= 21
        store.stats()
    with damaged.open() as store:
        assert store.recovery.index_rebuilt
        assert readable(store, damaged.blocks) == damaged.blocks


def flip_some_bits(damaged: Any, seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(rng.choice([1, 1, 5, 30])):
        damaged.flip(damaged.index, rng.randrange(damaged.index.stat().st_size), 1 << rng.randrange(8))


@pytest.mark.parametrize("seed", range(20))
def test_flipped_bits_in_a_closed_index_cost_nothing(damaged: Any, readable: Readable, seed: int) -> None:
    flip_some_bits(damaged, seed)
    with damaged.open() as store:
        assert store.recovery.index_rebuilt
        assert readable(store, damaged.blocks) == damaged.blocks


@pytest.mark.parametrize("seed", range(30))
def test_flipped_bits_after_a_crash_never_yield_a_wrong_byte(
    damaged: Any, readable: Readable, seed: int
) -> None:
    flip_some_bits(damaged, seed)
    damaged.break_seal()
    # What is noticed is one of the store's errors; what is not can be repaired by putting the blocks again.
    with suppress(StoreError), damaged.open() as store:
        readable(store, damaged.blocks)
        store.stats()
        assert set(store.multihashes())
        store.put_many(damaged.blocks)
        assert readable(store, damaged.blocks) == damaged.blocks
    damaged.index.unlink(missing_ok=True)
    with damaged.open() as store:
        assert readable(store, damaged.blocks) == damaged.blocks


def test_reading_leaves_index_and_seal_alone(damaged: Any, readable: Readable) -> None:
    before = [
        (path, path.stat().st_ino, path.read_bytes()) for path in sorted(damaged.directory.glob("index*"))
    ]
    assert [path.name for path, _, _ in before] == ["index.db", "index.sum"]
    with damaged.open() as store:
        assert readable(store, damaged.blocks) == damaged.blocks
    after = [
        (path, path.stat().st_ino, path.read_bytes()) for path in sorted(damaged.directory.glob("index*"))
    ]
    assert after == before


@pytest.mark.parametrize("content", [b"", b"12345678\n", b"rubbish"])
def test_a_damaged_seal_costs_nothing(damaged: Any, readable: Readable, content: bytes) -> None:
    (damaged.directory / "index.sum").write_bytes(content)
    with damaged.open() as store:
        assert readable(store, damaged.blocks) == damaged.blocks
    with damaged.open() as store:
        assert not store.recovery.index_rebuilt
