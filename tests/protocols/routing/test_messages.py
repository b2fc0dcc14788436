"""The DHT's messages: what is written is read, and of what strangers write nothing is too much."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.blockstore import protobuf, varint
from peershelf.protocols.errors import MalformedMessage
from peershelf.protocols.routing.kad.keys import peer_from_bytes
from peershelf.protocols.routing.kad.messages import (
    MAX_ADDRESS,
    MAX_ADDRESSES,
    MAX_KEY,
    MAX_MESSAGE,
    MAX_PEERS,
    Contact,
    Kind,
    Message,
    decode,
    encode,
)

CLOSER, PROVIDERS = 8, 9
FIND_NODE = protobuf.varint_field(1, 4) + protobuf.bytes_field(2, b"a key")


def peer_id(number: int) -> bytes:
    return b"\x12\x20" + number.to_bytes(32, "big")


PEERS = st.integers(0, 2**256 - 1).map(lambda number: peer_from_bytes(peer_id(number)))
CONTACTS = st.lists(
    st.builds(Contact, PEERS, st.lists(st.binary(max_size=MAX_ADDRESS), max_size=MAX_ADDRESSES).map(tuple)),
    max_size=5,
    unique_by=lambda contact: contact.peer,
).map(tuple)


@given(
    st.builds(
        Message,
        st.sampled_from(Kind),
        st.binary(max_size=MAX_KEY),
        st.none() | st.binary(max_size=100),
        CONTACTS,
        CONTACTS,
    )
)
def test_what_is_written_is_read(message):
    assert decode(encode(message)) == message


@given(st.binary(max_size=300))
def test_noise_is_read_or_refused(data):
    try:
        message = decode(data)
    except MalformedMessage:
        return
    assert decode(encode(message)) == message


@given(st.binary(max_size=120), st.sampled_from([CLOSER, PROVIDERS]))
def test_a_peer_that_is_noise_costs_itself_only(data, number):
    good = protobuf.bytes_field(number, protobuf.bytes_field(1, peer_id(7)))
    message = decode(FIND_NODE + protobuf.bytes_field(number, data) + good)
    assert peer_from_bytes(peer_id(7)) in {one.peer for one in message.closer + message.providers}


@pytest.mark.parametrize("kind", [6, 7, 200, 2**63, 2**64 - 1])
def test_unknown_types_are_refused(kind):
    with pytest.raises(MalformedMessage, match="no messages of type"):
        decode(protobuf.varint_field(1, kind))


def test_what_is_left_out_is_what_protobuf_says():
    assert decode(b"") == Message(Kind.PUT_VALUE)
    assert decode(protobuf.bytes_field(1, b"text for a number")) == Message(Kind.PUT_VALUE)


def test_keys_have_a_longest():
    assert len(decode(FIND_NODE + protobuf.bytes_field(2, bytes(256))).key) == 256
    with pytest.raises(MalformedMessage, match="257 bytes"):
        decode(FIND_NODE + protobuf.bytes_field(2, bytes(257)))


def test_of_thousands_of_peers_the_first_are_taken():
    many = [
        protobuf.bytes_field(number, protobuf.bytes_field(1, peer_id(place)))
        for place in range(5_000)
        for number in (CLOSER, PROVIDERS)
    ]
    message = decode(FIND_NODE + b"".join(many))
    expected = [peer_from_bytes(peer_id(place)) for place in range(MAX_PEERS)]
    assert [one.peer for one in message.closer] == expected
    assert [one.peer for one in message.providers] == expected


def test_of_one_peer_again_and_again_one_is_taken():
    twice = protobuf.bytes_field(CLOSER, protobuf.bytes_field(1, peer_id(1)))
    assert len(decode(FIND_NODE + twice * 50).closer) == 1


def test_giant_and_countless_addresses_are_left_out():
    addresses = protobuf.bytes_field(2, bytes(MAX_ADDRESS + 1)) + protobuf.bytes_field(2, b"fine") * 5_000
    contact = protobuf.bytes_field(1, peer_id(1)) + addresses
    (found,) = decode(FIND_NODE + protobuf.bytes_field(CLOSER, contact)).closer
    assert found.addresses == (b"fine",) * MAX_ADDRESSES


@pytest.mark.parametrize(
    "contact",
    [
        b"",
        protobuf.bytes_field(2, b"an address alone"),
        protobuf.bytes_field(1, b""),
        protobuf.bytes_field(1, b"\x12\x20short"),
        protobuf.bytes_field(1, bytes(65)),
        protobuf.varint_field(1, 5),
        protobuf.bytes_field(1, peer_id(1))[:-1],
    ],
)
def test_peers_without_a_valid_id_are_left_out(contact):
    assert decode(FIND_NODE + protobuf.bytes_field(PROVIDERS, contact)).providers == ()


def test_lengths_that_lie_are_found_out():
    """Of the whole: it is refused. Of something in a peer: that one is left out, whatever it claims."""
    with pytest.raises(MalformedMessage):
        decode(FIND_NODE + varint.encode(CLOSER << 3 | 2) + varint.encode(2**62) + bytes(10))
    inner = varint.encode(1 << 3 | 2) + varint.encode(1_000) + peer_id(1)
    good = protobuf.bytes_field(1, peer_id(2))
    message = decode(FIND_NODE + protobuf.bytes_field(CLOSER, inner) + protobuf.bytes_field(CLOSER, good))
    assert [one.peer for one in message.closer] == [peer_from_bytes(peer_id(2))]


TINY = b"\x28\x01"
FAT_PEER = protobuf.bytes_field(1, peer_id(1)) + TINY * 4_000


@pytest.mark.parametrize(
    "data",
    [
        TINY * (MAX_MESSAGE // 2),
        b"\x42\x00" * (MAX_MESSAGE // 2),
        (protobuf.bytes_field(CLOSER, FAT_PEER) + protobuf.bytes_field(PROVIDERS, FAT_PEER)) * MAX_PEERS,
        protobuf.bytes_field(CLOSER, protobuf.bytes_field(1, peer_id(1))) * 28_000,
    ],
    ids=["tiny fields", "empty peers", "tiny fields of peers", "peers"],
)
def test_no_megabyte_keeps_us_busy(data):
    """The shortest of a few, since others are on this machine, too. It was half a second."""
    took = []
    for _ in range(4):
        start = time.thread_time()
        decode(data)
        took.append(time.thread_time() - start)
    assert min(took) < 0.05
