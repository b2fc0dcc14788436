"""Looking rows of the index up, one and many."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.blockstore.errors import StoreClosed
from peershelf.blockstore.store.pack.index import Index
from peershelf.blockstore.store.pack.segments import Location, Segment

ROWS = 500


def key_of(number: int) -> bytes:
    return b"\x12\x20" + number.to_bytes(32, "big")


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """An index of the even numbers' keys."""
    directory: Path = tmp_path_factory.mktemp("index")
    opened, made = Index.open(directory / "index.db")
    assert made
    rows = {key_of(2 * number): Location(1, 100 * number, 50) for number in range(ROWS)}
    opened.commit(rows, Segment.new(1), 100 * ROWS)
    yield opened
    opened.close()


@given(numbers=st.lists(st.integers(0, 2 * ROWS + 10), max_size=400))
def test_many_keys_are_located_as_each_is(index: Index, numbers: list[int]) -> None:
    keys = [key_of(number) for number in numbers]
    assert index.locate_many(iter(keys)) == {key: index.locate(key) for key in keys}


@pytest.mark.parametrize("count", [0, 1, 2, 3, 127, 128, 129, 256, 257])
def test_any_number_of_keys_can_be_located(index: Index, count: int) -> None:
    located = index.locate_many(key_of(number) for number in range(count))
    places = {key_of(number): None if number % 2 else Location(1, 50 * number, 50) for number in range(count)}
    assert located == places


def test_a_closed_index_is_read_no_more(tmp_path: Path) -> None:
    opened, _ = Index.open(tmp_path / "index.db")
    opened.close()
    with pytest.raises(StoreClosed):
        opened.locate_many([key_of(1)])
