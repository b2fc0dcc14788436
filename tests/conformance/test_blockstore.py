"""What every block store must do. A new backend joins in conftest.py."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from peershelf.blockstore import multihash
from peershelf.blockstore.block import MAX_BLOCK_SIZE, Block
from peershelf.blockstore.cid import DAG_CBOR, DAG_PB, RAW, Cid
from peershelf.blockstore.errors import BlockNotFound, CorruptBlock, StoreClosed
from peershelf.blockstore.store.base import Blockstore


def blocks(count: int, size: int = 100, label: str = "") -> list[Block]:
    return [Block.create(f"{label}{number:08d}".encode().ljust(size, b".")) for number in range(count)]


def keys(found: list[Block]) -> list[bytes]:
    return sorted(block.cid.multihash for block in found)


@pytest.mark.parametrize("durable", [True, False])
def test_what_was_put_is_read_at_once(store: Blockstore, durable: bool) -> None:
    held = blocks(20)
    store.put_many(held, durable=durable)
    assert [store.get(block.cid) for block in held] == [block.data for block in held]
    assert [store.get_unhashed(block.cid) for block in held] == [block.data for block in held]
    assert all(store.has(block.cid) for block in held)
    assert {store.size(block.cid) for block in held} == {100}
    assert store.sizes(block.cid for block in [*held, Block.create(b"absent")]) == {b.cid: 100 for b in held}


def test_a_block_that_is_not_there(store: Blockstore) -> None:
    (absent,) = blocks(1)
    assert not store.has(absent.cid)
    assert store.size(absent.cid) is None
    for get in (store.get, store.get_unhashed):
        with pytest.raises(BlockNotFound, match=str(absent.cid)):
            get(absent.cid)


@pytest.mark.parametrize("size", [0, 1, 4096, MAX_BLOCK_SIZE])
def test_blocks_of_every_size(store: Blockstore, size: int) -> None:
    block = Block.create(bytes(size))
    store.put_many([block])
    assert store.get(block.cid) == store.get_unhashed(block.cid) == block.data
    assert store.size(block.cid) == size


@pytest.mark.parametrize("name", [name for name in multihash.HASHES_BY_NAME if name != "identity"])
def test_blocks_under_every_hash(store: Blockstore, name: str) -> None:
    block = Block.create(b"the same bytes", hash_code=multihash.hash_code(name))
    store.put_many([block])
    assert store.get(block.cid) == store.get_unhashed(block.cid) == b"the same bytes"


def test_an_identity_block_is_a_block_like_any_other(store: Blockstore) -> None:
    block = Block.create(b"in the CID itself", hash_code=multihash.IDENTITY)
    assert not store.has(block.cid)
    store.put_many([block])
    assert store.get(block.cid) == b"in the CID itself"


def test_one_multihash_is_one_block_whatever_the_cid_says(store: Blockstore) -> None:
    block = Block.create(b"shared", codec=DAG_PB)
    store.put_many([block])
    mh = block.cid.multihash
    for cid in (Cid.v0(mh), Cid.v1(RAW, mh), Cid.v1(DAG_CBOR, mh)):
        assert store.get(cid) == store.get_unhashed(cid) == b"shared"
    assert store.stats().blocks == 1


def test_putting_twice_stores_once(store: Blockstore) -> None:
    held = blocks(5)
    store.put_many(held + held)
    disk_size = store.stats().disk_size
    store.put_many(held)
    store.put_many(held, durable=False)
    stats = store.stats()
    assert (stats.blocks, stats.payload_size, stats.disk_size) == (5, 500, disk_size)
    assert sorted(store.multihashes()) == keys(held)


def test_only_what_is_damaged_is_dropped(store: Blockstore) -> None:
    held = blocks(3)
    store.put_many(held)
    assert store.drop_damaged([block.cid for block in [*held, *blocks(1, label="absent")]]) == []
    assert [store.get(block.cid) for block in held] == [block.data for block in held]


def test_putting_nothing_is_allowed(store: Blockstore) -> None:
    store.put_many([])
    store.put_many([], durable=False)
    assert store.stats().blocks == 0


def test_blocks_may_come_from_a_generator_that_reads_the_store(store: Blockstore) -> None:
    first, second = blocks(2)
    store.put_many([first])

    def chain() -> Iterator[Block]:
        yield Block.create(store.get(first.cid) + b"more")
        yield second

    store.put_many(chain())
    assert store.stats().blocks == 3


def test_a_generator_that_fails_leaves_the_store_usable(store: Blockstore) -> None:
    first, second = blocks(2)

    def failing() -> Iterator[Block]:
        yield first
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.put_many(failing())
    store.put_many([second])
    assert store.get(second.cid) == second.data


def test_bytes_that_do_not_hash_to_their_cid_are_never_returned(store: Blockstore) -> None:
    honest, other = blocks(2)
    store.put_many([Block(honest.cid, other.data)])
    with pytest.raises(CorruptBlock, match=str(honest.cid)):
        store.get(honest.cid)


@pytest.mark.parametrize("durable", [True, False])
def test_deleting(store: Blockstore, durable: bool) -> None:
    held = blocks(10)
    store.put_many(held, durable=durable)
    gone, kept = held[:4], held[4:]
    (absent,) = blocks(1, label="absent")
    assert store.delete_many([block.cid for block in (*gone, gone[0], absent)]) == 4
    assert not any(store.has(block.cid) for block in gone)
    with pytest.raises(BlockNotFound):
        store.get(gone[0].cid)
    assert [store.get(block.cid) for block in kept] == [block.data for block in kept]
    assert store.stats().blocks == 6
    assert sorted(store.multihashes()) == keys(kept)
    assert store.delete_many([block.cid for block in gone]) == 0


@pytest.mark.parametrize("durable", [True, False])
def test_a_deleted_block_can_be_put_again(store: Blockstore, durable: bool) -> None:
    (block,) = blocks(1)
    for _ in range(3):
        store.put_many([block], durable=durable)
        assert store.get(block.cid) == block.data
        assert store.delete_many([block.cid]) == 1
    store.put_many([block], durable=durable)
    assert store.get(block.cid) == block.data
    assert store.stats().blocks == 1


def test_statistics_count_blocks_and_bytes(store: Blockstore) -> None:
    assert (store.stats().blocks, store.stats().payload_size) == (0, 0)
    store.put_many(blocks(3, size=10))
    store.put_many(blocks(4, size=1000), durable=False)
    assert (store.stats().blocks, store.stats().payload_size) == (7, 4030)
    store.sync()
    assert (store.stats().blocks, store.stats().payload_size) == (7, 4030)
    store.delete_many([block.cid for block in blocks(2, size=1000)])
    assert (store.stats().blocks, store.stats().payload_size) == (5, 2030)


def test_keys_are_each_seen_once_synced_or_not(store: Blockstore) -> None:
    synced, unsynced = blocks(6000, label="synced"), blocks(3000, label="unsynced")
    store.put_many(synced)
    store.put_many(unsynced, durable=False)
    assert sorted(store.multihashes()) == keys(synced + unsynced)


def test_keys_that_stay_are_seen_once_while_others_come_and_go(store: Blockstore) -> None:
    staying = blocks(6000)
    coming, going = blocks(600, label="coming"), blocks(600, label="going")
    store.put_many(staying + going)
    seen: list[bytes] = []
    for count, key in enumerate(store.multihashes()):
        seen.append(key)
        if count % 1000 == 0:
            step = slice(count // 10, count // 10 + 100)
            store.put_many(coming[step], durable=count % 2000 == 0)
            store.delete_many([block.cid for block in going[step]])
    assert len(seen) == len(set(seen))
    assert set(keys(staying)) <= set(seen)
    assert set(seen) <= set(keys(staying + coming + going))


def _at_once(*work: Callable[[], None]) -> None:
    """Run functions in threads of their own, and raise what any of them raises."""
    failures: list[BaseException] = []

    def run(function: Callable[[], None]) -> None:
        try:
            function()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(function,)) for function in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def test_threads_write_read_and_delete_at_once(store: Blockstore) -> None:
    settled = blocks(200, label="settled")
    store.put_many(settled)

    def write(label: str, durable: bool) -> None:
        for block in blocks(60, label=label):
            store.put_many([block], durable=durable)
            assert store.get(block.cid) == block.data
            if block.data[8] % 3 == 0:
                assert store.delete_many([block.cid]) == 1
                assert not store.has(block.cid)

    def read() -> None:
        for block in settled * 3:
            assert store.get(block.cid) == block.data
            assert store.size(block.cid) == len(block.data)

    def look() -> None:
        for _ in range(20):
            assert set(keys(settled)) <= set(store.multihashes())
            assert store.stats().blocks >= len(settled)
            store.sync()

    _at_once(lambda: write("a", True), lambda: write("b", False), read, read, look)
    left = [block for label in "ab" for block in blocks(60, label=label) if block.data[8] % 3]
    assert sorted(store.multihashes()) == keys(settled + left)


def test_closing_while_others_read_and_write(store: Blockstore) -> None:
    """They are told that it is closed, and nothing else goes wrong."""
    held = blocks(50)
    store.put_many(held)
    under_way = threading.Barrier(5)

    def read() -> None:
        under_way.wait()
        with pytest.raises(StoreClosed):
            while True:
                for block in held:
                    assert store.get(block.cid) == block.data

    def write() -> None:
        under_way.wait()
        with pytest.raises(StoreClosed):
            while True:
                store.put_many(blocks(5, label="more"), durable=False)
                store.delete_many([block.cid for block in blocks(5, label="more")])

    def close() -> None:
        under_way.wait()
        store.close()

    _at_once(read, read, read, write, close)


def test_a_closed_store_says_so(store: Blockstore) -> None:
    (block,) = blocks(1)
    store.put_many([block])
    store.close()
    store.close()
    uses: list[Callable[[], object]] = [
        lambda: store.put_many([block]),
        lambda: store.get(block.cid),
        lambda: store.get_unhashed(block.cid),
        lambda: store.has(block.cid),
        lambda: store.size(block.cid),
        lambda: store.delete_many([block.cid]),
        lambda: store.multihashes(),
        lambda: store.stats(),
        lambda: store.sync(),
    ]
    for use in uses:
        with pytest.raises(StoreClosed):
            use()


def test_leaving_a_with_block_closes(store: Blockstore) -> None:
    with store:
        store.put_many(blocks(1))
    with pytest.raises(StoreClosed):
        store.stats()
