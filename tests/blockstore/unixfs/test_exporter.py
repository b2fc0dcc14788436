from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.blockstore.block import Block
from peershelf.blockstore.multihash import IDENTITY
from peershelf.blockstore.unixfs import exporter
from peershelf.blockstore.unixfs.exporter import FileReader
from peershelf.blockstore.unixfs.profiles import PROFILES, UNIXFS_V1_2025, with_options

KIB = 1024
TREE = with_options(UNIXFS_V1_2025, chunk_size=KIB, max_links=4)

profiles = st.builds(
    with_options,
    st.sampled_from(list(PROFILES.values())),
    chunk_size=st.integers(1, 40),
    max_links=st.integers(2, 5),
)
budgets = st.integers(0, 300)
seeds = st.none() | st.builds(Random, st.integers(0, 1000))


@given(st.binary(max_size=400), profiles, budgets, seeds)
def test_what_was_imported_is_read_back(
    make_shelf: Callable[[], Any], data: bytes, profile: Any, budget: int, seed: Random | None
) -> None:
    shelf = make_shelf()
    reader = FileReader(shelf.add(data, profile).cid)
    assert shelf.read(reader, budget, seed) == data
    assert reader.size == len(data)


@given(
    st.binary(max_size=400), profiles, budgets, seeds, st.integers(0, 450), st.none() | st.integers(0, 450)
)
def test_any_range_is_read(
    make_shelf: Callable[[], Any],
    data: bytes,
    profile: Any,
    budget: int,
    seed: Random | None,
    offset: int,
    length: int | None,
) -> None:
    shelf = make_shelf()
    reader = FileReader(shelf.add(data, profile).cid, offset=offset, length=length)
    end = None if length is None else offset + length
    assert shelf.read(reader, budget, seed) == data[offset:end]
    assert reader.size == len(data)


def test_a_range_touches_only_the_blocks_that_it_needs(shelf: Any, some_bytes: Any) -> None:
    data = some_bytes(64 * KIB)
    root = shelf.add(data, TREE).cid
    assert shelf.read(FileReader(root, offset=20 * KIB + 1, length=KIB)) == data[20 * KIB + 1 : 21 * KIB + 1]
    # A path of three inner nodes (4, 16 and 64 KiB) and the two leaves that the range touches.
    assert len(shelf.fetched) == 5


def test_the_range_may_end_where_a_block_does(shelf: Any, some_bytes: Any) -> None:
    data = some_bytes(64 * KIB)
    root = shelf.add(data, TREE).cid
    assert shelf.read(FileReader(root, offset=20 * KIB, length=KIB)) == data[20 * KIB : 21 * KIB]
    assert len(shelf.fetched) == 4


@pytest.mark.parametrize(("offset", "length"), [(0, 0), (64 * KIB, None), (10**9, 5)])
def test_an_empty_range_touches_the_root_alone(shelf: Any, some_bytes: Any, offset: int, length: Any) -> None:
    root = shelf.add(some_bytes(64 * KIB), TREE).cid
    assert shelf.read(FileReader(root, offset=offset, length=length)) == b""
    assert shelf.fetched == [root]


@pytest.mark.parametrize(("offset", "length"), [(-1, None), (0, -1)])
def test_negative_ranges_are_refused(shelf: Any, offset: int, length: int | None) -> None:
    with pytest.raises(ValueError, match="negative"):
        FileReader(shelf.add(b"x").cid, offset=offset, length=length)


@pytest.fixture
def flat(shelf: Any, some_bytes: Any) -> FileReader:
    """A reader of a file of 100 chunks of 1 KiB whose root has been received."""
    profile = with_options(UNIXFS_V1_2025, chunk_size=KIB)
    reader = FileReader(shelf.add(some_bytes(100 * KIB), profile).cid)
    (root,) = reader.wants(0)
    reader.receive(shelf.blocks[root])
    return reader


def test_the_read_ahead_stays_within_its_budget(shelf: Any, flat: FileReader) -> None:
    first = flat.wants(8 * KIB)
    assert len(first) == 8
    assert flat.wants(8 * KIB) == []
    flat.receive(shelf.blocks[first[0]])
    assert flat.wants(8 * KIB) == [], "bytes that nobody has read count"
    assert [len(piece) for piece in flat.read()] == [KIB]
    assert len(flat.wants(8 * KIB)) == 1


def test_the_next_block_is_wanted_even_without_budget(flat: FileReader) -> None:
    assert len(flat.wants(0)) == 1


def test_blocks_are_wanted_in_file_order_and_bytes_wait_for_their_turn(shelf: Any, flat: FileReader) -> None:
    first, second, third = flat.wants(3 * KIB)
    flat.receive(shelf.blocks[third])
    flat.receive(shelf.blocks[second])
    assert flat.read() == []
    flat.receive(shelf.blocks[first])
    assert flat.read() == [shelf.blocks[cid].data for cid in (first, second, third)]


def test_whole_blocks_are_given_out_uncopied(shelf: Any, flat: FileReader) -> None:
    (cid,) = flat.wants(0)
    flat.receive(shelf.blocks[cid])
    assert flat.read()[0] is shelf.blocks[cid].data


def test_blocks_that_were_not_asked_for_change_nothing(shelf: Any, flat: FileReader) -> None:
    (cid,) = flat.wants(0)
    flat.receive(Block.create(b"who asked?"))
    flat.receive(shelf.blocks[cid])
    flat.receive(shelf.blocks[cid])
    assert len(flat.read()) == 1


def test_a_block_at_many_places_is_wanted_once_at_a_time(shelf: Any) -> None:
    root = shelf.add(bytes(100 * KIB), TREE).cid
    assert shelf.read(FileReader(root), budget=1 << 20) == bytes(100 * KIB)
    assert len(shelf.fetched) < 20


def test_tiny_blocks_are_limited_by_number(shelf: Any, some_bytes: Any) -> None:
    profile = with_options(UNIXFS_V1_2025, chunk_size=1, max_links=8000)
    data = bytes(number % 251 for number in range(4_000))
    reader = FileReader(shelf.add(data, profile).cid)
    (root,) = reader.wants(0)
    reader.receive(shelf.blocks[root])
    for cid in reader.wants(1 << 30):
        reader.receive(shelf.blocks[cid])
    assert len(reader.read()) == exporter.MAX_AHEAD
    assert shelf.read(reader) == data[exporter.MAX_AHEAD :]


@given(st.integers(1, 30), budgets, seeds)
def test_nodes_that_crowd_the_plan_are_come_back_to(
    make_shelf: Callable[[], Any], crowded: int, budget: int, seed: Random | None
) -> None:
    shelf = make_shelf()
    data = bytes(range(100))
    root = shelf.add(data, with_options(UNIXFS_V1_2025, chunk_size=1, max_links=3)).cid
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exporter, "_CROWDED", crowded)
        assert shelf.read(FileReader(root), budget, seed) == data


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_an_empty_file_is_read(shelf: Any, profile: Any) -> None:
    assert shelf.read(FileReader(shelf.add(b"", profile).cid)) == b""


def test_the_empty_raw_block_is_known_without_asking() -> None:
    reader = FileReader(Block.create(b"").cid)
    assert reader.wants(100) == []
    assert reader.done


def test_identity_cids_are_read_without_asking(shelf: Any) -> None:
    profile = with_options(UNIXFS_V1_2025, chunk_size=10, hash_code=IDENTITY)
    cid = Block.create(b"0123456789", hash_code=IDENTITY).cid
    assert shelf.read(FileReader(cid)) == b"0123456789"
    assert shelf.add(b"0123456789", profile).cid == cid
    assert shelf.fetched == []
