"""Both directions of a connection inside a private network."""

from __future__ import annotations

import os
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from peershelf.protocols.private import GREETING, NotInThisNetwork, Opening, Sealing, SwarmKey

KEY = SwarmKey(bytes(range(32)))
OTHER = SwarmKey(bytes(range(1, 33)))


def cut(data: bytes, where: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(place for place in where if place < len(data))})
    return [data[start:end] for start, end in pairwise(places)]


@given(st.binary(max_size=300), st.lists(st.integers(0, 300)), st.lists(st.integers(0, 350)))
def test_what_is_sealed_is_opened_however_it_is_cut(data: bytes, ours: list[int], theirs: list[int]) -> None:
    sealing, opening = Sealing(KEY), Opening(KEY)
    said = GREETING + data
    sent = b"".join(sealing.seal(piece) for piece in cut(said, ours))
    assert len(sent) == 24 + len(said)
    assert b"".join(opening.open(piece) for piece in cut(sent, theirs)) == said


def test_each_connection_has_a_nonce_of_its_own() -> None:
    assert Sealing(KEY).seal(b"x")[:24] != Sealing(KEY).seal(b"x")[:24]


def test_it_says_how_much_is_needed_before_anything_is_opened() -> None:
    opening = Opening(KEY)
    assert opening.missing == 24
    opening.open(bytes(20))
    assert opening.missing == 4
    opening.open(bytes(4))
    assert opening.missing == 0


@given(st.integers(1, 20))
def test_another_key_is_seen_at_the_first_bytes(count: int) -> None:
    sealing, opening = Sealing(OTHER), Opening(KEY)
    sent = sealing.seal(GREETING)
    opened = opening.open(sent[:24])
    with pytest.raises(NotInThisNetwork, match="another private network"):
        while len(opened) < len(GREETING):
            opened += opening.open(sent[24 + len(opened) :][:count])


@given(st.lists(st.integers(1, 40)))
def test_a_public_peer_is_seen_at_its_greeting(where: list[int]) -> None:
    opening = Opening(KEY)
    with pytest.raises(NotInThisNetwork, match="no private network"):
        for piece in cut(GREETING + b"\x07/noise\n", where):
            opening.open(piece)


@given(st.binary(max_size=200), st.lists(st.integers(0, 200)))
@example(os.urandom(200), [])
def test_nothing_that_strangers_send_is_taken_for_more_than_a_greeting(data: bytes, where: list[int]) -> None:
    opening, opened = Opening(KEY), b""
    try:
        for piece in cut(data, where):
            opened += opening.open(piece)
    except NotInThisNetwork:
        return
    assert GREETING.startswith(opened), "without the key 20 bytes are not guessed"
