from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.blockstore.errors import InvalidImportOption
from peershelf.blockstore.unixfs.chunker import Chunker, parse_chunker


@given(st.lists(st.binary(max_size=50)), st.integers(1, 20))
def test_chunks_do_not_depend_on_the_pieces(pieces: list[bytes], size: int) -> None:
    chunker = Chunker(size)
    chunks = [chunk for piece in pieces for chunk in chunker.push(piece)]
    rest = chunker.flush()
    assert b"".join([*chunks, rest]) == b"".join(pieces)
    assert {len(chunk) for chunk in chunks} <= {size}
    assert len(rest) < size


def test_a_whole_chunk_passes_through_uncopied() -> None:
    piece = bytes(range(100))
    assert next(Chunker(100).push(piece)) is piece


def test_buffers_may_be_reused_after_the_call() -> None:
    chunker = Chunker(4)
    buffer = bytearray(b"abcdef")
    chunks = list(chunker.push(memoryview(buffer)))
    buffer[:] = b"------"
    assert chunks == [b"abcd"]
    assert chunker.flush() == b"ef"


@pytest.mark.parametrize("text", ["size-1", "size-262144"])
def test_size_chunkers_are_read(text: str) -> None:
    assert parse_chunker(text) == int(text[5:])


@pytest.mark.parametrize(
    "text", ["", "size-", "size--1", "size-1k", "size-१", "262144", "rabin", "buzhash", "size-" + "9" * 5000]
)
def test_other_chunkers_are_refused_with_the_way_to_write_one(text: str) -> None:
    with pytest.raises(InvalidImportOption, match="size-N"):
        parse_chunker(text)
