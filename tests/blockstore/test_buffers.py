"""Bytes in several pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.blockstore.buffers import Rope, cut

pieces_of_bytes = st.lists(st.binary(min_size=1, max_size=20), max_size=8)


def rope_of(pieces: list[bytes]) -> Rope:
    return Rope([memoryview(piece) for piece in pieces])


@given(pieces_of_bytes, st.integers(0, 200), st.integers(0, 200))
def test_a_rope_is_sliced_as_its_bytes_are(pieces: list[bytes], begin: int, end: int) -> None:
    rope, whole = rope_of(pieces), b"".join(pieces)
    assert (len(rope), bytes(rope)) == (len(whole), whole)
    assert bytes(rope[begin:end]) == whole[begin:end]
    assert len(rope[begin:end]) == len(whole[begin:end])
    assert bytes(rope[begin:end][1:3]) == whole[begin:end][1:3]


@given(pieces_of_bytes)
def test_a_rope_has_the_bytes_of_its_pieces_and_no_more(pieces: list[bytes]) -> None:
    rope, whole = rope_of(pieces), b"".join(pieces)
    assert [rope[offset] for offset in range(len(whole))] == list(whole)
    with pytest.raises(IndexError):
        rope[len(whole)]


def test_slices_of_a_rope_are_no_copies() -> None:
    pieces = [b"first", b"second", b"third"]
    inside, across = rope_of(pieces)[6:9], rope_of(pieces)[2:13]
    assert isinstance(inside, memoryview)
    assert inside.obj is pieces[1]
    assert isinstance(across, Rope)
    assert [piece.obj for piece in across.pieces] == pieces


@given(pieces_of_bytes, st.integers(0, 200))
def test_buffers_are_cut_anywhere(pieces: list[bytes], size: int) -> None:
    whole = b"".join(pieces)
    first, rest = cut(pieces, size)
    assert (b"".join(first), b"".join(rest)) == (whole[:size], whole[size:])
