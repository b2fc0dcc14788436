"""Bitswap messages: what we write others read, and what they write we read."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from message_samples import encoded, messages, parsed

from peershelf.blockstore import multihash
from peershelf.blockstore.block import Block
from peershelf.blockstore.buffers import Rope
from peershelf.blockstore.cid import DAG_PB, Cid
from peershelf.blockstore.protobuf import bytes_field
from peershelf.protocols.bitswap import BitswapLimits
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
from peershelf.protocols.bitswap.parsing import Decoding


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


@pytest.mark.parametrize("size", [20_000, 65_000, 200_000])
def test_a_large_block_stays_in_the_pieces_in_which_it_came(size):
    data = random.Random(size).randbytes(150_000)
    block = Block.create(data)
    message = Message(payloads=(Payload(Prefix.of(block.cid), data),), pending_bytes=7)
    whole = b"".join(encode(message, BITSWAP_1_2_0))
    pieces = [whole[start : start + size] for start in range(0, len(whole), size)]
    found = read_pieces(pieces)
    assert [bytes(payload.data) for payload in found.payloads] == [data]
    assert found.pending_bytes == 7
    (payload,) = found.payloads
    views = payload.data.pieces if isinstance(payload.data, Rope) else [payload.data]
    assert [view.obj for view in views] == pieces


@pytest.mark.parametrize(
    "message",
    [
        Message(wants=tuple(WantEntry(Block.create(bytes([number])).cid) for number in range(200))),
        Message(payloads=(Payload(Prefix(1, 0x55, 0x12, 32), bytes(70_000)),) * 3),
        Message(payloads=(Payload(Prefix(1, 0x55, 0x12, 32), bytes(10)), Payload(V0_PREFIX, bytes(70_000)))),
        Message(
            wants=(WantEntry(Block.create(b"a").cid),),
            full=True,
            payloads=(Payload(Prefix(1, 0x55, 0x12, 32), bytes(70_000)),),
            presences=(Presence(Block.create(b"b").cid, have=True),),
        ),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 1_000, 20_000])
def test_a_message_reads_alike_however_it_is_cut(message, size):
    whole = b"".join(encode(message, BITSWAP_1_2_0))
    found = read_pieces([whole[start : start + size] for start in range(0, len(whole), size)])
    assert b"".join(bytes(piece) for piece in encode(found, BITSWAP_1_2_0)) == whole


def read_pieces(pieces):
    decoding = Decoding([memoryview(piece) for piece in pieces], BitswapLimits())
    for _ in decoding:
        pass
    return decoding.message


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
