"""What every block store must keep to while garbage is collected."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from peershelf.blockstore.block import Block
from peershelf.blockstore.errors import AlreadyCollecting, BlockNotFound, StoreClosed
from peershelf.blockstore.store.base import Blockstore
from peershelf.blockstore.store.live import LiveKeys


def blocks(count: int, label: str = "") -> list[Block]:
    return [Block.create(f"{label}{number:08d}".encode().ljust(100, b".")) for number in range(count)]


def only(live: Iterable[Block]) -> LiveKeys:
    return LiveKeys(block.cid.multihash for block in live)


def collect(store: Blockstore, live: Iterable[Block] = ()) -> set[bytes]:
    """Collect once, and return what went."""
    with store.collecting() as collection:
        return {key for step in collection.sweep(only(live)) for key in step.keys}


def present(store: Blockstore, held: Iterable[Block]) -> list[Block]:
    found = [block for block in held if store.has(block.cid)]
    assert [store.get(block.cid) for block in found] == [block.data for block in found]
    return found


def test_what_is_not_live_goes_and_the_rest_stays(store: Blockstore) -> None:
    held = blocks(40)
    store.put_many(held)
    removed = collect(store, held[::3])
    assert present(store, held) == held[::3]
    assert removed == {block.cid.multihash for block in held} - {block.cid.multihash for block in held[::3]}
    assert store.stats().blocks == len(held[::3])
    assert sorted(store.multihashes()) == sorted(block.cid.multihash for block in held[::3])
    gone = next(block for block in held if block not in held[::3])
    with pytest.raises(BlockNotFound):
        store.get(gone.cid)


def test_garbage_is_found_beside_as_many_live_keys_that_are_not_there(store: Blockstore) -> None:
    held, absent = blocks(10), blocks(3, "absent")
    store.put_many(held)
    assert collect(store, [*held[:7], *absent]) == {block.cid.multihash for block in held[7:]}
    assert present(store, held) == held[:7]


def test_the_steps_tell_bytes_and_keys(store: Blockstore) -> None:
    held = blocks(10)
    store.put_many(held)
    with store.collecting() as collection:
        steps = list(collection.sweep(only(held[:4])))
    assert sum(len(step.keys) for step in steps) == 6
    assert sum(step.payload_size for step in steps) == 600


def test_a_collection_with_nothing_to_do(store: Blockstore) -> None:
    held = blocks(10)
    store.put_many(held)
    assert collect(store, held) == set()
    assert collect(store, held) == set()
    assert present(store, held) == held


def test_an_empty_store(store: Blockstore) -> None:
    assert collect(store) == set()


def test_removed_blocks_can_be_put_again(store: Blockstore) -> None:
    held = blocks(10)
    store.put_many(held)
    collect(store)
    store.put_many(held)
    assert present(store, held) == held


def test_a_hold_protects_what_goes_through_it(store: Blockstore) -> None:
    old, new = blocks(5, "old"), blocks(5, "new")
    store.put_many(old)
    with store.hold() as hold:
        hold.put_many([*old[:2], *new])
        collect(store)
        assert present(store, [*old, *new]) == [*old[:2], *new]
    collect(store)
    assert present(store, [*old, *new]) == []


def test_a_hold_keeps_what_is_there_and_says_what_is_not(store: Blockstore) -> None:
    held, absent = blocks(5), blocks(2, "absent")
    store.put_many(held)
    with store.hold() as hold:
        assert hold.keep(block.cid for block in [*held[:3], *absent]) == {
            block.cid: 100 for block in held[:3]
        }
        collect(store)
        assert present(store, held) == held[:3]


def test_a_hold_that_ends_during_a_collection_stays_in_force_to_its_end(store: Blockstore) -> None:
    before, within = blocks(3, "before"), blocks(3, "within")
    store.put_many(before)
    hold = store.hold()
    hold.put_many([*before, *within])
    with store.collecting() as collection:
        hold.close()
        assert not [key for step in collection.sweep(LiveKeys()) for key in step.keys]
    assert present(store, [*before, *within]) == [*before, *within]
    collect(store)
    assert present(store, [*before, *within]) == []


def test_a_closed_hold_does_not_shield_from_the_next_collection(store: Blockstore) -> None:
    held = blocks(3)
    with store.hold() as hold:
        hold.put_many(held)
    hold.close()
    collect(store)
    assert present(store, held) == []


def test_what_is_put_during_a_collection_stays(store: Blockstore) -> None:
    old, new = blocks(30, "old"), blocks(3, "new")
    store.put_many(old)
    with store.collecting() as collection:
        store.put_many(new)
        store.put_many(old[:3])
        store.put_many(old[3:5], durable=False)
        steps = collection.sweep(LiveKeys())
        next(steps)
        list(steps)
    assert present(store, [*old, *new]) == [*old[:5], *new]


def test_what_becomes_live_between_two_steps_stays(store: Blockstore) -> None:
    held = blocks(20)
    store.put_many(held)
    live = LiveKeys()
    rescued = held[7].cid.multihash

    def before_step() -> None:
        live.add(rescued)

    with store.collecting() as collection:
        removed = {key for step in collection.sweep(live, before_step=before_step) for key in step.keys}
    assert rescued not in removed
    assert present(store, held) == [held[7]]


def test_one_collection_at_a_time(store: Blockstore) -> None:
    with store.collecting(), pytest.raises(AlreadyCollecting), store.collecting():
        pass
    collect(store)


def test_a_sweep_may_be_left_and_taken_up_by_another(store: Blockstore) -> None:
    held = blocks(3000)
    store.put_many(held)
    with store.collecting() as collection:
        next(iter(collection.sweep(only(held[:10]))))
    assert present(store, held[:10]) == held[:10]
    collect(store, held[:10])
    assert present(store, held) == held[:10]


def test_a_collection_ends_with_the_store(store: Blockstore) -> None:
    store.put_many(blocks(3000))
    with store.collecting() as collection:
        steps = collection.sweep(LiveKeys())
        next(steps)
        store.close()
        with pytest.raises(StoreClosed):
            list(steps)
