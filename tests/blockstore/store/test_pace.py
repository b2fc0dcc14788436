"""How long the index's own log becomes: long where that pays, and never longer than can be afforded."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from peershelf.blockstore.block import Block
from peershelf.blockstore.store.pack import PackStore, log, pace
from peershelf.blockstore.store.pack.pace import SHORTEST, Pace

MakeBlocks = Callable[..., list[Block]]
MIB = 1 << 20


@pytest.fixture
def space(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """How much is free on the disk."""
    space = SimpleNamespace(free=1 << 40)
    status = lambda path: SimpleNamespace(f_bavail=space.free, f_frsize=1)  # noqa: E731
    monkeypatch.setattr(os, "statvfs", status)
    return space


@pytest.mark.parametrize(("index", "log"), [(3, SHORTEST), (5000, 20_000), (1_000_000, 32_768)])
def test_it_grows_with_the_index(space: SimpleNamespace, tmp_path: Path, index: int, log: int) -> None:
    assert Pace(tmp_path).pages(index, MIB) == log


def test_it_stays_short_where_space_is_short(space: SimpleNamespace, tmp_path: Path) -> None:
    space.free = 1000 * MIB
    assert Pace(tmp_path).pages(5000, MIB) == SHORTEST


def test_each_gib_of_payload_there_is_a_checkpoint(space: SimpleNamespace, tmp_path: Path) -> None:
    pace = Pace(tmp_path)
    limits = [pace.pages(5000, 32 * MIB) for _ in range(64)]
    assert [number for number, limit in enumerate(limits) if limit == 1] == [31, 63]


def test_a_store_keeps_to_it(
    tmp_path: Path, make_blocks: MakeBlocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = tmp_path / "index.db"
    monkeypatch.setattr(log, "_MAX_PENDING_RECORDS", 1)
    with PackStore.open(tmp_path) as store:
        store.put_many(make_blocks(10))
        before = index.read_bytes()
        store.put_many(make_blocks(10, label="in the log"))
        assert index.read_bytes() == before
        monkeypatch.setattr(pace, "_MOST_REPLAYED", 1)
        store.put_many(make_blocks(10, label="in the index"))
        assert index.read_bytes() != before
