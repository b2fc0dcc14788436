"""Noise messages: whatever goes in comes out, however it is cut on its way, and nothing else does."""

import itertools
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.protocols.libp2p.security.codec import MAX_MESSAGE, in_messages
from peershelf.protocols.libp2p.security.errors import ForgedMessage
from peershelf.protocols.libp2p.security.noise_codec import (
    OVERHEAD,
    MessageSplitter,
    NoiseCodec,
)

ONE, OTHER = bytes(32), bytes(range(32))


@pytest.fixture
def codecs() -> tuple[NoiseCodec, NoiseCodec]:
    return NoiseCodec(ONE, OTHER), NoiseCodec(OTHER, ONE)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in itertools.pairwise(edges)]


@pytest.mark.parametrize("size", [1, MAX_MESSAGE - 1, MAX_MESSAGE, MAX_MESSAGE + 1, 300_000])
def test_data_of_any_size_arrives(codecs, size: int) -> None:
    ours, theirs = codecs
    data = os.urandom(size)
    assert b"".join(theirs.open(bytes(ours.seal(in_messages(data))))) == data
    assert b"".join(ours.open(bytes(theirs.seal(in_messages(data))))) == data


def test_a_batch_has_as_few_messages_as_can_carry_it(codecs) -> None:
    sealed = codecs[0].seal(in_messages(bytes(2 * MAX_MESSAGE)))
    assert len(sealed) == 2 * (MAX_MESSAGE + OVERHEAD)


def test_each_message_is_sealed_as_one_whatever_pieces_it_lies_in(codecs) -> None:
    ours, theirs = codecs
    sealed = bytes(ours.seal([[b"he", memoryview(b"llo")], [], [bytearray(b"you")]]))
    assert list(theirs.open(sealed)) == [b"hello", b"", b"you"]


@given(
    st.lists(st.binary(max_size=300), max_size=6),
    st.lists(st.integers(min_value=0, max_value=5000), max_size=12),
)
def test_it_does_not_matter_how_messages_are_cut(messages: list[bytes], places: list[int]) -> None:
    ours, theirs = NoiseCodec(ONE, OTHER), NoiseCodec(OTHER, ONE)
    sealed = b"".join(bytes(ours.seal(in_messages(message))) for message in messages)
    opened = [piece for part in cut(sealed, places) for piece in theirs.open(part)]
    assert opened == [message for message in messages if message]


@given(st.binary(max_size=4000), st.lists(st.integers(min_value=0, max_value=5000), max_size=12))
def test_the_splitter_finds_the_same_messages_in_garbage_however_it_is_cut(
    data: bytes, places: list[int]
) -> None:
    whole, pieces = MessageSplitter(), MessageSplitter()
    found = [bytes(message) for part in cut(data, places) for message in pieces.split(part)]
    assert found == [bytes(message) for message in whole.split(data)]


@given(st.integers(min_value=0), st.integers(min_value=0, max_value=7))
def test_one_flipped_bit_is_noticed(place: int, bit: int) -> None:
    ours, theirs = NoiseCodec(ONE, OTHER), NoiseCodec(OTHER, ONE)
    sealed = bytearray(ours.seal(in_messages(b"some plaintext")))
    place = 2 + place % (len(sealed) - 2)
    sealed[place] ^= 1 << bit
    with pytest.raises(ForgedMessage):
        list(theirs.open(bytes(sealed)))


def test_a_message_that_is_sent_again_is_noticed(codecs) -> None:
    ours, theirs = codecs
    sealed = bytes(ours.seal(in_messages(b"pay me")))
    assert list(theirs.open(sealed)) == [b"pay me"]
    with pytest.raises(ForgedMessage):
        list(theirs.open(sealed))


def test_messages_in_another_order_are_noticed(codecs) -> None:
    ours, theirs = codecs
    first, second = bytes(ours.seal(in_messages(b"first"))), bytes(ours.seal(in_messages(b"second")))
    with pytest.raises(ForgedMessage):
        list(theirs.open(second + first))


@pytest.mark.parametrize("size", [0, 1, 15])
def test_a_message_too_short_for_its_tag_is_forged(codecs, size: int) -> None:
    with pytest.raises(ForgedMessage):
        list(codecs[0].open(size.to_bytes(2, "big") + bytes(size)))
