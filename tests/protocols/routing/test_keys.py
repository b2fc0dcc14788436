"""Places and peer IDs, in text and in bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.blockstore import multihash, varint
from peershelf.blockstore.errors import InvalidCid
from peershelf.protocols.errors import MalformedMessage
from peershelf.protocols.routing.kad.keys import key_of, peer_bytes, peer_from_bytes, shared_bits


def a_peer_id(code: int, digest: bytes) -> bytes:
    return varint.encode(code) + varint.encode(len(digest)) + digest


@given(code=st.sampled_from([0, 0, 0x12, 0x1E, 0x300]), digest=st.binary(max_size=60))
def test_peer_ids_come_back_as_they_were(code, digest):
    data = a_peer_id(code, digest)
    assert peer_bytes(peer_from_bytes(data)) == data


@pytest.mark.parametrize("zeros", [2, 3, 40])
def test_zeros_at_the_front_are_kept(zeros):
    """As an identity multihash has one; of an empty one, or of zeros, all bytes are."""
    data = a_peer_id(0, bytes(zeros))
    assert peer_bytes(peer_from_bytes(data)) == data
    assert peer_bytes(peer_from_bytes(bytes(2))) == bytes(2)


@pytest.mark.parametrize("text", ["0", "l0lI", "12D3KooW not base58", "é", "Qm\n", "1" * 40 + "_"])
def test_text_in_another_alphabet_is_refused(text):
    with pytest.raises(InvalidCid):
        peer_bytes(text)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        a_peer_id(0x12, bytes(63)),
        a_peer_id(0x12, bytes(32))[:-1],
        a_peer_id(0x12, bytes(32)) + b"x",
        b"\x80\x00\x00",
        b"\xff" * 34,
    ],
)
def test_what_is_no_multihash_of_a_decent_length_is_no_peer_id(data):
    with pytest.raises(MalformedMessage):
        peer_from_bytes(data)


def test_places_are_sha2_256():
    """As in the specification: of the name, not of its text."""
    digest = multihash.split(multihash.multihash(multihash.SHA2_256, b"name"))[1]
    assert key_of(b"name") == int.from_bytes(digest, "big")


@given(one=st.integers(0, 2**256 - 1), bit=st.integers(0, 255), noise=st.integers(0, 2**256 - 1))
def test_bits_are_shared_up_to_the_first_that_differs(one, bit, noise):
    other = one ^ (1 << (255 - bit)) ^ (noise & ((1 << (255 - bit)) - 1))
    assert shared_bits(one, other) == shared_bits(other, one) == bit
    assert shared_bits(one, one) == 256
