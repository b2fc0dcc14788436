"""Reading one file after another: what comes next is asked for ahead, and comes out in order."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import DAG_PB, Cid
from peershelf.blockstore.dag import pb
from peershelf.blockstore.errors import BlockNotFound, InvalidCid, MalformedBlock, NotAFile, PathNotFound
from peershelf.blockstore.unixfs import message, sequence
from peershelf.blockstore.unixfs.message import Data, DataType
from peershelf.blockstore.unixfs.profiles import UNIXFS_V1_2025, with_options
from peershelf.blockstore.unixfs.queued_file import Span
from peershelf.blockstore.unixfs.sequence import FileSequence

TREE = with_options(UNIXFS_V1_2025, chunk_size=16, max_links=3)
KIB = 1024
BUDGET = 1 << 20


def directory(shelf: Any, **entries: Cid) -> Cid:
    links = tuple(pb.Link(cid, name.encode()) for name, cid in sorted(entries.items()))
    node = pb.PbNode(message.encode(Data(DataType.DIRECTORY)), links)
    block = Block.create(pb.encode(node), codec=DAG_PB)
    shelf.put(block)
    return block.cid


@given(
    st.lists(st.binary(max_size=120), min_size=1, max_size=12),
    st.integers(0, 300),
    st.none() | st.builds(Random, st.integers(0, 1000)),
    st.integers(0, 500),
    st.none() | st.integers(0, 500),
)
def test_the_files_come_back_as_one(
    make_shelf: Callable[[], Any],
    contents: list[bytes],
    budget: int,
    seed: Random | None,
    offset: int,
    length: int | None,
) -> None:
    shelf = make_shelf()
    cids = [shelf.add(data, TREE).cid for data in contents]
    reader = FileSequence(cids, Span(offset, length))
    end = None if length is None else offset + length
    assert shelf.read(reader, budget, seed) == b"".join(contents)[offset:end]
    assert reader.size == len(contents[0])


def test_many_small_files_are_asked_for_at_once(shelf: Any, some_bytes: Any) -> None:
    cids = [shelf.add(some_bytes(4 * KIB)[number:]).cid for number in range(600)]
    reader = FileSequence(cids)
    asked = reader.wants(16 * BUDGET)
    assert asked == cids[: len(asked)]
    assert len(asked) >= 256
    for cid in asked:
        reader.receive(shelf.blocks[cid])
    # Now it is known how small they are.
    assert asked + reader.wants(16 * BUDGET) == cids


def test_the_next_file_is_asked_for_while_a_large_one_is_read(shelf: Any, some_bytes: Any) -> None:
    tree = with_options(UNIXFS_V1_2025, chunk_size=KIB)
    large = shelf.add(some_bytes(64 * KIB), tree).cid
    small = [shelf.add(some_bytes(KIB)[number:]).cid for number in range(1, 4)]
    reader = FileSequence([large, *small])
    assert reader.wants(BUDGET) == [large, *small]
    reader.receive(shelf.blocks[large])
    assert len(reader.wants(BUDGET)) == 64


def test_the_read_ahead_counts_all_files_together(shelf: Any, some_bytes: Any) -> None:
    tree = with_options(UNIXFS_V1_2025, chunk_size=KIB)
    cids = [shelf.add(some_bytes(8 * KIB)[number:], tree).cid for number in range(4)]
    reader = FileSequence(cids)
    roots = reader.wants(256 * KIB)
    assert roots == cids
    for cid in roots:
        reader.receive(shelf.blocks[cid])
    assert len(reader.wants(12 * KIB)) == 8 + 4


def test_large_roots_are_not_held_beyond_the_read_ahead(shelf: Any, some_bytes: Any) -> None:
    contents = [some_bytes(200 * KIB)[number:] for number in range(40)]
    cids = [shelf.add(data).cid for data in contents]
    reader = FileSequence(cids)
    asked = reader.wants(BUDGET)
    first, *others = asked
    assert 4 <= len(asked) <= 16
    for cid in others:
        reader.receive(shelf.blocks[cid])
    # Some of them had to be forgotten, and nothing more is asked for until the first is here.
    assert reader.wants(BUDGET) == []
    reader.receive(shelf.blocks[first])
    out = b"".join(reader.read())
    assert out == b"".join(contents[: len(out) // (199 * KIB)])
    assert out + shelf.read(reader, BUDGET) == b"".join(contents)
    assert len(shelf.fetched) < 1.5 * len(cids)


def test_paths_are_followed_side_by_side(shelf: Any) -> None:
    one, two = shelf.add(b"one").cid, shelf.add(b"two").cid
    folders = [directory(shelf, x=one), directory(shelf, y=two)]
    reader = FileSequence([f"{folders[0]}/x", f"/ipfs/{folders[1]}/y", one])
    assert reader.wants(BUDGET) == [*folders, one]
    assert shelf_read(shelf, reader, [*folders, one]) == b"onetwoone"


def shelf_read(shelf: Any, reader: FileSequence, asked: list[Cid]) -> bytes:
    for cid in asked:
        reader.receive(shelf.blocks[cid])
    return b"".join(reader.read()) + bytes(shelf.read(reader, BUDGET))


def test_the_same_file_many_times_is_asked_for_once(shelf: Any) -> None:
    cid = shelf.add(b"again ").cid
    reader = FileSequence([cid] * 5)
    assert reader.wants(BUDGET) == [cid]
    reader.receive(shelf.blocks[cid])
    assert b"".join(reader.read()) == b"again " * 5
    assert reader.done


@pytest.mark.parametrize("wrong", ["not a CID", "folder", "folder/z", "malformed", "absent"])
def test_an_error_comes_after_all_that_stands_before_it(shelf: Any, wrong: str) -> None:
    good = [shelf.add(data).cid for data in (b"one", b"two", b"three")]
    folder = directory(shelf, x=good[0])
    bad = Block.create(b"\xff", codec=DAG_PB)
    absent = Block.create(b"absent").cid
    shelf.put(bad)
    reference, error = {
        "not a CID": ("x", InvalidCid),
        "folder": (folder, NotAFile),
        "folder/z": (f"{folder}/z", PathNotFound),
        "malformed": (bad.cid, MalformedBlock),
        "absent": (absent, BlockNotFound),
    }[wrong]
    reader = FileSequence([good[0], good[1], reference, good[2]])
    asked = reader.wants(BUDGET)
    reader.fail(absent, BlockNotFound("it is not here"))
    for cid in reversed([cid for cid in asked if cid != absent]):
        reader.receive(shelf.blocks[cid])
    out = b"".join(reader.read())
    for cid in reader.wants(BUDGET):
        reader.receive(shelf.blocks[cid])
    assert out == b"onetwo"
    with pytest.raises(error):
        reader.read()
    assert not reader.done


def test_what_stands_behind_the_end_of_the_range_does_not_matter(shelf: Any) -> None:
    cid = shelf.add(b"one").cid
    reader = FileSequence([cid, "not a CID"], Span(1, 2))
    assert shelf.read(reader) == b"ne"


def test_no_more_files_than_the_bound_are_under_way(
    shelf: Any, some_bytes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequence, "MAX_FILES", 10)
    cids = [shelf.add(some_bytes(50)[number:]).cid for number in range(30)]
    reader = FileSequence(cids)
    assert reader.wants(BUDGET) == cids[:10]
    for cid in cids[1:10]:
        reader.receive(shelf.blocks[cid])
    assert reader.wants(BUDGET) == reader.read() == []
