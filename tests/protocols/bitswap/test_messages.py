"""Bitswap messages: what we write others read, and what strangers write costs us nothing."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peershelf.blockstore import multihash
from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import DAG_PB, Cid
from peershelf.blockstore.protobuf import bytes_field
from peershelf.protocols.bitswap.messages import (
    BITSWAP_1_0_0,
    BITSWAP_1_1_0,
    BITSWAP_1_2_0,
    V0_PREFIX,
    Message,
    Payload,
    Prefix,
    Presence,
    WantEntry,
    encode,
)
from peershelf.protocols.bitswap.parsing import decode
from peershelf.protocols.errors import MalformedMessage

MAX_FIELDS = 100_000

cids = st.builds(
    lambda data, codec, code: Cid.v1(codec, multihash.multihash(code, data)),
    st.binary(max_size=8),
    st.sampled_from([0x55, 0x70, 0x71, 0x0129]),
    st.sampled_from([multihash.SHA2_256, multihash.SHA2_512, multihash.BLAKE3, multihash.BLAKE2B_256]),
) | st.builds(
    lambda data: Cid.v0(multihash.multihash(multihash.SHA2_256, data)),
    st.binary(max_size=8),
)
entries = st.builds(
    WantEntry,
    cids,
    priority=st.integers(-(2**31), 2**31 - 1),
    cancel=st.booleans(),
    have_only=st.booleans(),
    send_dont_have=st.booleans(),
)
payloads = st.builds(lambda cid, data: Payload(Prefix.of(cid), data), cids, st.binary(max_size=100))
messages = st.builds(
    Message,
    wants=st.lists(entries, max_size=5).map(tuple),
    full=st.booleans(),
    payloads=st.lists(payloads, max_size=5).map(tuple),
    presences=st.lists(st.builds(Presence, cids, st.booleans()), max_size=5).map(tuple),
    pending_bytes=st.integers(-(2**31), 2**31 - 1),
)


def encoded(message: Message, protocol: str = BITSWAP_1_2_0) -> bytes:
    return b"".join(encode(message, protocol))


def parsed(data: bytes) -> Message:
    return decode(data, MAX_FIELDS)


@given(messages)
def test_what_is_written_is_read_back(message):
    assert parsed(encoded(message)) == message


def test_the_bytes_are_those_of_the_specification():
    block = Block.create(b"hello")
    cid = block.cid.to_bytes()
    message = Message(
        wants=(WantEntry(block.cid, 1, have_only=True, send_dont_have=True),),
        full=True,
        payloads=(Payload(Prefix.of(block.cid), block.data),),
        presences=(Presence(block.cid, have=False),),
        pending_bytes=-1,
    )
    entry = b"\x0a\x24" + cid + b"\x10\x01" + b"\x20\x01" + b"\x28\x01"
    wantlist = b"\x0a" + bytes([len(entry)]) + entry + b"\x10\x01"
    prefix = b"\x01\x55\x12\x20"
    body = b"\x0a\x04" + prefix + b"\x12\x05hello"
    presence = b"\x0a\x24" + cid + b"\x10\x01"
    assert encoded(message) == (
        b"\x0a" + bytes([len(wantlist)]) + wantlist
        + b"\x1a" + bytes([len(body)]) + body
        + b"\x22" + bytes([len(presence)]) + presence
        + b"\x28" + b"\xff" * 9 + b"\x01"
    )  # fmt: skip


def test_block_data_is_copied_neither_out_nor_in():
    data = bytes(10_000)
    block = Block.create(data)
    pieces = encode(Message(payloads=(Payload(Prefix.of(block.cid), data),)), BITSWAP_1_2_0)
    assert any(piece is data for piece in pieces)
    whole = b"".join(pieces)
    (payload,) = parsed(whole).payloads
    assert payload.data.obj is whole


def test_version_1_1_0_knows_neither_presences_nor_want_have():
    cid = Block.create(b"hello").cid
    message = Message(
        wants=(WantEntry(cid, have_only=True, send_dont_have=True),),
        presences=(Presence(cid, have=True),),
        pending_bytes=7,
    )
    assert parsed(encoded(message, BITSWAP_1_1_0)) == Message(wants=(WantEntry(cid),))


def test_version_1_0_0_sends_blocks_bare():
    block = Block.create(b"hello", codec=DAG_PB, version=0)
    other = Block.create(b"hello", hash_code=multihash.BLAKE3)
    message = Message(
        payloads=(Payload(Prefix.of(block.cid), b"hello"), Payload(Prefix.of(other.cid), b"no"))
    )
    assert encoded(message, BITSWAP_1_0_0) == b"\x12\x05hello"
    assert parsed(b"\x12\x05hello").payloads == (Payload(V0_PREFIX, b"hello"),)


def test_a_message_with_nothing_that_the_version_can_say_is_empty():
    cid = Block.create(b"hello").cid
    assert encode(Message(presences=(Presence(cid, have=True),)), BITSWAP_1_1_0) == []


@given(messages, st.integers(6, 1_000), st.binary(max_size=20))
def test_fields_of_later_versions_are_passed_over(message, number, value):
    assert parsed(encoded(message) + bytes_field(number, value)) == message


def test_a_want_of_a_later_kind_is_not_answered():
    cid = Block.create(b"hello").cid.to_bytes()
    entry = b"\x0a\x24" + cid + b"\x20\x07"
    assert parsed(b"\x0a" + bytes([len(entry) + 2]) + b"\x0a" + bytes([len(entry)]) + entry).wants == ()


@pytest.mark.parametrize(
    "multihash",
    [
        pytest.param(b"\x11\x14" + bytes(20), id="SHA-1"),
        pytest.param(b"\xff\x7f\x20" + bytes(32), id="unknown function"),
        pytest.param(b"\x12\x13" + bytes(19), id="digest of 19 bytes"),
        pytest.param(b"\x1e\x81\x01" + bytes(129), id="digest of 129 bytes"),
        pytest.param(b"\x00\x04data", id="identity"),
    ],
)
def test_a_want_under_a_hash_that_is_not_trusted_is_passed_over(multihash):
    good = Block.create(b"hello").cid
    message = Message(wants=(WantEntry(Cid(1, 0x55, multihash)), WantEntry(good)))
    assert parsed(encoded(message)).wants == (WantEntry(good),)


@given(st.binary(max_size=400))
def test_arbitrary_bytes_are_a_message_or_malformed(data):
    with contextlib.suppress(MalformedMessage):
        parsed(data)


@given(messages, st.data())
def test_a_damaged_message_is_a_message_or_malformed(message, data):
    damaged = bytearray(encoded(message) or b"\x00")
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(MalformedMessage):
        parsed(bytes(damaged))


CID = Block.create(b"hello").cid.to_bytes()
LONG_IDENTITY = b"\x01\x55\x00\x81\x01" + bytes(129)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\x0a", id="cut short"),
        pytest.param(b"\x0b", id="a group"),
        pytest.param(b"\x08\x01", id="a number where the wantlist belongs"),
        pytest.param(bytes_field(5, b"\x01"), id="bytes where a number belongs"),
        pytest.param(bytes_field(1, bytes_field(1, b"")), id="a want without a CID"),
        pytest.param(bytes_field(1, bytes_field(1, bytes_field(1, b"nonsense"))), id="a want for no CID"),
        pytest.param(bytes_field(1, bytes_field(1, bytes_field(1, bytes(300)))), id="a CID of 300 bytes"),
        pytest.param(
            bytes_field(1, bytes_field(1, bytes_field(1, CID + b"\x00"))), id="a CID with more behind it"
        ),
        pytest.param(
            bytes_field(1, bytes_field(1, bytes_field(1, LONG_IDENTITY))), id="an identity CID of 129 bytes"
        ),
        pytest.param(
            bytes_field(1, bytes_field(1, bytes_field(1, CID) + b"\x10\x81\x00")), id="a priority not minimal"
        ),
        pytest.param(bytes_field(3, bytes_field(2, b"data")), id="a block without a prefix"),
        pytest.param(
            bytes_field(3, bytes_field(1, b"\x01\x55\x12") + bytes_field(2, b"data")), id="a prefix too short"
        ),
        pytest.param(bytes_field(3, bytes_field(1, b"\x01\x55\x12\x20\x00")), id="a prefix too long"),
        pytest.param(bytes_field(3, bytes_field(1, b"\x02\x55\x12\x20")), id="a prefix of CIDv2"),
        pytest.param(
            bytes_field(3, bytes_field(1, b"\x01\x55\x12\xff\x01")), id="a prefix of a digest of 255 bytes"
        ),
        pytest.param(bytes_field(4, b""), id="a presence without a CID"),
    ],
)
def test_malformed_messages_are_refused(data):
    with pytest.raises(MalformedMessage):
        parsed(data)


def test_a_digest_of_128_bytes_is_the_longest_in_a_prefix():
    assert (
        parsed(bytes_field(3, bytes_field(1, b"\x01\x55\x12\x80\x01"))).payloads[0].prefix.digest_size == 128
    )


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\x30\x01" * 2_000_000, id="unknown fields"),
        pytest.param(
            bytes_field(1, bytes_field(1, bytes_field(1, CID))) * 90_000, id="wants in wantlists of their own"
        ),
        pytest.param(bytes_field(1, b"\x18\x01" * 8_000) * 250, id="unknown fields in wantlists"),
        pytest.param(bytes_field(3, b"\x18\x01" * 8_000) * 250, id="unknown fields in blocks"),
        pytest.param(b"\x12\x00" * 2_000_000, id="empty blocks"),
    ],
)
def test_four_mebibytes_of_trifles_are_refused_in_bounded_time(data):
    start = time.process_time()
    with pytest.raises(MalformedMessage):
        parsed(data[: 4 << 20])
    # Reading all of it would take several times as long.
    assert time.process_time() - start < 1.5


@settings(max_examples=20)
@given(st.integers(1, 60))
def test_the_limit_counts_fields_however_nested(wants):
    cid = Block.create(b"hello").cid
    data = encoded(Message(wants=(WantEntry(cid, priority=0),) * wants))
    fields = 1 + 2 * wants
    assert len(decode(data, fields).wants) == wants
    with pytest.raises(MalformedMessage):
        decode(data, fields - 1)
