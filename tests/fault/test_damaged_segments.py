"""Segments that are cut, flipped, overgrown or gone: what is sound stays readable, the rest is reported."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from peershelf.blockstore.block import Block
from peershelf.blockstore.errors import BlockNotFound, CorruptBlock, StoreError
from peershelf.blockstore.store.pack import Damage, PackStore
from peershelf.blockstore.store.pack.records import Kind, encode_head

Readable = Callable[[PackStore, Iterable[Block]], list[Block]]
RECORD = 1056
HEAD = 56


def test_a_flipped_payload_is_an_error_until_the_block_is_put_again(damaged: Any, readable: Readable) -> None:
    victim = damaged.blocks[3]
    damaged.flip(damaged.segments[0], 3 * RECORD + HEAD + 500)
    with damaged.open() as store:
        assert store.has(victim.cid)
        with pytest.raises(CorruptBlock, match=f"block {victim.cid} is damaged on disk"):
            store.get(victim.cid)
        assert len(readable(store, damaged.blocks)) == 29
        store.put_many([victim])
        assert store.get(victim.cid) == victim.data
        assert store.stats().blocks == 30
    with damaged.open() as store:
        assert not store.recovery.index_rebuilt
        assert readable(store, damaged.blocks) == damaged.blocks


def test_a_fetched_copy_heals_without_being_synced(damaged: Any) -> None:
    victim = damaged.blocks[3]
    damaged.flip(damaged.segments[0], 3 * RECORD + HEAD + 500)
    with damaged.open() as store:
        store.put_many([victim], durable=False)
        assert store.get(victim.cid) == victim.data
        assert store.stats().blocks == 30


def test_what_was_healed_meanwhile_is_not_dropped(damaged: Any, readable: Readable) -> None:
    healed, lost = damaged.blocks[3], damaged.blocks[5]
    for number in (3, 5):
        damaged.flip(damaged.segments[0], number * RECORD + HEAD + 500)
    with damaged.open() as store:
        store.put_many([healed])
        found = [block.cid for block in damaged.blocks[:8]]
        assert store.drop_damaged(found) == [lost.cid]
        assert not store.has(lost.cid)
        assert len(readable(store, damaged.blocks)) == 29
    damaged.lose_index()
    with damaged.open() as store:
        assert store.get(healed.cid) == healed.data
        assert not store.has(lost.cid)


def test_the_copy_that_healed_a_block_survives_the_loss_of_the_index(
    damaged: Any, readable: Readable
) -> None:
    damaged.flip(damaged.segments[0], 3 * RECORD + HEAD + 500)
    with damaged.open() as store:
        store.put_many([damaged.blocks[3]])
    damaged.lose_index()
    with damaged.open() as store:
        assert readable(store, damaged.blocks) == damaged.blocks
        assert store.recovery.damage == (Damage(damaged.segments[0].name, 3 * RECORD, RECORD),)


@pytest.mark.parametrize("place", [0, 8, 9, 12, 15, 19, 30], ids=lambda place: f"byte {place}")
def test_a_flipped_head_costs_one_block_even_when_the_index_is_lost(
    damaged: Any, readable: Readable, place: int
) -> None:
    damaged.flip(damaged.segments[1], 4 * RECORD + place, 0xFF)
    with damaged.open() as store:
        assert readable(store, damaged.blocks) == damaged.blocks
    damaged.lose_index()
    with damaged.open() as store:
        assert readable(store, damaged.blocks) == damaged.blocks[:14] + damaged.blocks[15:]
        assert store.recovery.damage == (Damage(damaged.segments[1].name, 4 * RECORD, RECORD),)
        assert store.recovery.truncated == 0
        with pytest.raises(BlockNotFound):
            store.get(damaged.blocks[14].cid)


@pytest.mark.parametrize("lost", range(0, RECORD + 1, 96))
def test_a_torn_end_is_cut_off_and_written_over(damaged: Any, readable: Readable, lost: int) -> None:
    last = damaged.segments[-1]
    with last.open("r+b") as file:
        file.truncate(10 * RECORD - lost)
    damaged.lose_index()
    kept = damaged.blocks[:29] if lost else damaged.blocks
    with damaged.open() as store:
        assert readable(store, damaged.blocks) == kept
        assert store.recovery.truncated == (RECORD - lost if lost else 0)
        assert store.recovery.damage == ()
        store.put_many(damaged.blocks)
        assert readable(store, damaged.blocks) == damaged.blocks
    damaged.lose_index()
    with damaged.open() as store:
        assert readable(store, damaged.blocks) == damaged.blocks


@pytest.mark.parametrize("number", range(3))
def test_rows_past_a_segments_end_are_dropped(damaged: Any, readable: Readable, number: int) -> None:
    with damaged.segments[number].open("r+b") as file:
        file.truncate(7 * RECORD + 100)
    lost = damaged.blocks[10 * number + 7 : 10 * number + 10]
    with damaged.open() as store:
        assert store.recovery.dropped == 3
        assert not store.recovery.index_rebuilt
        assert readable(store, damaged.blocks) == [block for block in damaged.blocks if block not in lost]
        assert not any(store.has(block.cid) for block in lost)
        assert store.stats().blocks == 27
        store.put_many(lost)
        assert readable(store, damaged.blocks) == damaged.blocks


def test_rubbish_inside_is_passed_over_but_never_cut(damaged: Any, readable: Readable) -> None:
    """The last segment's middle is destroyed: records behind it follow, so nothing may be cut off."""
    with damaged.segments[-1].open("r+b") as file:
        file.seek(2 * RECORD + 10)
        file.write(random.Random(1).randbytes(3 * RECORD))
    damaged.lose_index()
    with damaged.open() as store:
        assert readable(store, damaged.blocks) == damaged.blocks[:22] + damaged.blocks[26:]
        assert store.recovery.truncated == 0
        assert store.recovery.damage == (Damage(damaged.segments[-1].name, 2 * RECORD, 4 * RECORD),)
    assert damaged.segments[-1].stat().st_size == 10 * RECORD


@pytest.mark.parametrize("number", [0, 2])
def test_only_the_active_segments_rubbish_is_cut_off(damaged: Any, readable: Readable, number: int) -> None:
    with damaged.segments[number].open("ab") as file:
        file.write(bytes(5000))
    with damaged.open() as store:
        assert readable(store, damaged.blocks) == damaged.blocks
        assert store.recovery.truncated == (5000 if number == 2 else 0)
        assert len(store.recovery.damage) == (1 if number == 0 else 0)
    with damaged.open() as store:
        assert store.recovery.replayed == 0


def test_a_lost_segment_takes_only_its_own_blocks_along(damaged: Any, readable: Readable) -> None:
    damaged.segments[1].unlink()
    with damaged.open() as store:
        assert store.recovery.dropped == 10
        assert readable(store, damaged.blocks) == damaged.blocks[:10] + damaged.blocks[20:]
        assert store.stats().blocks == 20


def test_a_segment_replaced_by_another_of_its_number(damaged: Any, readable: Readable) -> None:
    damaged.segments[1].unlink()
    mark, newcomer = b"\1" * 8, Block.create(b"from elsewhere")
    record = encode_head(mark, Kind.BLOCK, newcomer.cid.multihash, newcomer.data) + newcomer.data
    (damaged.directory / "segments" / f"00000002-{mark.hex()}.seg").write_bytes(record)
    with damaged.open() as store:
        assert readable(store, damaged.blocks) == damaged.blocks[:10] + damaged.blocks[20:]
        assert store.get(newcomer.cid) == newcomer.data


def test_an_empty_last_segment_is_used(damaged: Any, readable: Readable) -> None:
    (damaged.directory / "segments" / "00000004-0123456789abcdef.seg").touch()
    more = Block.create(b"one more")
    with damaged.open() as store:
        store.put_many([more])
    assert damaged.segments[-1].stat().st_size > 0
    damaged.lose_index()
    with damaged.open() as store:
        assert readable(store, [*damaged.blocks, more]) == [*damaged.blocks, more]


def test_a_segment_that_vanishes_while_open_is_damage(damaged: Any, readable: Readable) -> None:
    with damaged.open() as store:
        damaged.segments[0].unlink()
        with pytest.raises(CorruptBlock):
            store.get(damaged.blocks[0].cid)
        assert readable(store, damaged.blocks) == damaged.blocks[10:]
        store.put_many(damaged.blocks[:10])
        assert readable(store, damaged.blocks) == damaged.blocks


def test_a_segment_that_cannot_be_read_at_opening_is_named(damaged: Any) -> None:
    damaged.lose_index()
    victim: Path = damaged.segments[1]
    victim.unlink()
    victim.mkdir()
    with pytest.raises(StoreError, match=rf"recovering .*{victim.name} failed: Is a directory"):
        damaged.open()


@pytest.mark.parametrize("seed", range(8))
def test_many_flips_and_cuts_never_yield_a_wrong_byte(damaged: Any, readable: Readable, seed: int) -> None:
    """Blocks whose records are whole are all found; the others are absent or errors, never wrong."""
    rng = random.Random(seed)
    originals = [path.read_bytes() for path in damaged.segments]
    for _ in range(rng.randrange(1, 12)):
        damaged.flip(rng.choice(damaged.segments), rng.randrange(5 * RECORD), 1 << rng.randrange(8))
    for path in damaged.segments:
        with path.open("r+b") as file:
            file.truncate(rng.randrange(5 * RECORD, 10 * RECORD + 1))
    if seed % 2:
        damaged.lose_index()
    whole = []
    for number, block in enumerate(damaged.blocks):
        segment, start = damaged.segments[number // 10], number % 10 * RECORD
        if segment.read_bytes()[start : start + RECORD] == originals[number // 10][start : start + RECORD]:
            whole.append(block)
    with damaged.open() as store:
        found = readable(store, damaged.blocks)
        assert set(whole) <= set(found)
        store.put_many(damaged.blocks)
        assert readable(store, damaged.blocks) == damaged.blocks
