"""Bitswap messages: what we write others read, and what strangers write costs us nothing."""

from __future__ import annotations

import contextlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.blockstore import multihash
from peershelf.blockstore.block import Block
from peershelf.blockstore.buffers import Rope
from peershelf.blockstore.cid import DAG_PB, Cid
from peershelf.blockstore.protobuf import bytes_field, fields
from peershelf.protocols.bitswap import BitswapLimits, parsing
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
from peershelf.protocols.bitswap.parsing import ITEMS_PER_STEP, Decoding, decode
from peershelf.protocols.errors import MalformedMessage

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
    return decode(data)


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


WANT = bytes_field(1, bytes_field(1, CID))
PRESENCE = bytes_field(4, bytes_field(1, CID))
SMALL = BitswapLimits(wants_per_message=20, answers_per_message=10)


@pytest.fixture
def fields_read(monkeypatch) -> list[object]:
    """Every field that the parser looks at."""
    seen: list[object] = []

    def watched(*args):
        for one in fields(*args):
            seen.append(one)
            yield one

    monkeypatch.setattr(parsing, "fields", watched)
    return seen


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\x30\x01" * 2_000_000, id="unknown fields"),
        pytest.param(b"\x28\x01" * 2_000_000, id="one number again and again"),
        pytest.param(b"\x0a\x00" * 2_000_000, id="empty wantlists"),
        pytest.param(bytes_field(1, WANT) * 90_000, id="wants in wantlists of their own"),
        pytest.param(bytes_field(1, b"\x18\x01" * 8_000) * 250, id="unknown fields in wantlists"),
        pytest.param(bytes_field(1, bytes_field(1, b"\x10\x01" * 8_000)) * 250, id="fields of one want"),
        pytest.param(bytes_field(3, b"\x18\x01" * 8_000) * 250, id="unknown fields in blocks"),
        pytest.param(bytes_field(4, b"\x10\x01" * 8_000) * 250, id="fields of one presence"),
    ],
)
def test_four_mebibytes_of_trifles_are_refused_after_a_few(fields_read, data):
    with pytest.raises(MalformedMessage):
        parsed(data[: 4 << 20])
    assert len(fields_read) < 1_000


@pytest.mark.parametrize(
    ("data", "most"),
    [
        pytest.param(b"\x12\x00" * 2_000_000, 4_096, id="empty blocks"),
        pytest.param(PRESENCE * 90_000, 4_096, id="presences"),
        pytest.param(bytes_field(1, WANT * 90_000), 16_384, id="wants"),
    ],
)
def test_four_mebibytes_of_items_are_refused_after_as_many_as_are_allowed(fields_read, data, most):
    with pytest.raises(MalformedMessage):
        parsed(data[: 4 << 20])
    assert len(fields_read) <= 2 * (most + 1) + 1


@pytest.mark.parametrize(
    ("item", "wrapped", "most"),
    [
        (WANT, True, 20),
        (PRESENCE, False, 10),
        (b"\x12\x00", False, 10),
        (bytes_field(3, b"\x0a\x04\x01\x55\x12\x20"), False, 10),
    ],
)
def test_a_message_may_hold_so_many_items_and_no_more(item, wrapped, most):
    def message(number: int) -> Message:
        return decode(bytes_field(1, item * number) if wrapped else item * number, SMALL)

    full = message(most)
    assert len(full.wants) + len(full.presences) + len(full.payloads) == most
    with pytest.raises(MalformedMessage, match=r"too many wants|more answers"):
        message(most + 1)


def test_items_of_a_later_version_may_have_a_few_fields_more():
    entry = bytes_field(1, CID) + b"\x10\x01\x18\x00\x20\x00\x28\x01"
    later = bytes_field(1, bytes_field(1, entry + b"\x30\x01" * 3) * 1_000)
    assert len(parsed(later).wants) == 1_000
    with pytest.raises(MalformedMessage, match="too many fields in"):
        parsed(bytes_field(1, bytes_field(1, entry + b"\x30\x01" * 4)))


@pytest.mark.parametrize("number", [0, 1, 31, 32, 33, 16_000])
def test_a_message_is_read_in_steps(fields_read, number):
    decoding = Decoding([memoryview(bytes_field(1, WANT * number))], BitswapLimits())
    steps, read = 0, 0
    for _ in decoding:
        steps += 1
        assert len(fields_read) - read <= 2 * ITEMS_PER_STEP + 1
        read = len(fields_read)
    assert steps == (number + 1) // ITEMS_PER_STEP
    assert len(decoding.message.wants) == number
