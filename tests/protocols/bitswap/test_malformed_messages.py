"""Bitswap messages as strangers write them: malformed, or with too much in them. They cost us little."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from message_samples import encoded, messages, parsed

from peershelf.blockstore.block import Block
from peershelf.blockstore.protobuf import bytes_field, fields
from peershelf.protocols.bitswap import BitswapLimits, parsing
from peershelf.protocols.bitswap.messages import (
    Message,
)
from peershelf.protocols.bitswap.parsing import ITEMS_PER_STEP, Decoding, decode
from peershelf.protocols.errors import MalformedMessage


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
