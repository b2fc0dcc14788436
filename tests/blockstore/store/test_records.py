"""Records: the layout in docs/store-format.md, and that no damage to a head goes unnoticed."""

from __future__ import annotations

import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.blockstore.block import MAX_BLOCK_SIZE
from peershelf.blockstore.store.pack.records import Head, Kind, decode_head, encode_head, record_size

MARK = bytes.fromhex("5f1d3c0a9be27746")
heads = st.builds(
    lambda kind, key, payload: (
        encode_head(MARK, kind, key, payload),
        Head(kind, key, len(payload), zlib.crc32(payload)),
    ),
    st.sampled_from(Kind),
    st.binary(min_size=1, max_size=255),
    st.binary(max_size=300),
)


def test_a_record_is_laid_out_as_documented() -> None:
    key, payload = b"\x12\x20" + bytes(32), b"hello"
    fields = MARK + b"\x01" + b"\x22" + b"\x05\0\0\0" + zlib.crc32(payload).to_bytes(4, "little")
    expected = fields + zlib.crc32(fields + key).to_bytes(4, "little") + key
    assert encode_head(MARK, Kind.BLOCK, key, payload) == expected
    assert record_size(key, payload) == len(expected) + 5


def test_a_tombstone_is_a_record_without_payload() -> None:
    head = encode_head(MARK, Kind.TOMBSTONE, b"key", b"")
    assert head[8] == 2
    assert decode_head(MARK, head) == Head(Kind.TOMBSTONE, b"key", 0, 0)


@given(heads, st.binary())
def test_a_head_is_read_back_whatever_follows_it(made: tuple[bytes, Head], rest: bytes) -> None:
    encoded, head = made
    assert decode_head(MARK, encoded + rest) == head
    assert head.size == len(encoded)


@given(heads, st.data())
def test_no_flipped_bit_in_a_head_goes_unnoticed(made: tuple[bytes, Head], data: st.DataObject) -> None:
    encoded = bytearray(made[0])
    bit = data.draw(st.integers(0, 8 * len(encoded) - 1))
    encoded[bit // 8] ^= 1 << bit % 8
    assert decode_head(MARK, bytes(encoded)) is None


@given(heads, st.data())
def test_a_head_cut_short_is_none(made: tuple[bytes, Head], data: st.DataObject) -> None:
    assert decode_head(MARK, made[0][: data.draw(st.integers(0, len(made[0]) - 1))]) is None


@given(st.binary(max_size=400))
def test_arbitrary_bytes_behind_the_mark_are_no_head(rest: bytes) -> None:
    assert decode_head(MARK, MARK + rest) is None


def test_another_segments_record_does_not_count() -> None:
    assert decode_head(MARK, encode_head(bytes(8), Kind.BLOCK, b"key", b"payload")) is None


def test_a_length_over_the_limit_is_refused_though_its_checksum_fits() -> None:
    assert decode_head(MARK, encode_head(MARK, Kind.BLOCK, b"key", bytes(MAX_BLOCK_SIZE))) is not None
    assert decode_head(MARK, encode_head(MARK, Kind.BLOCK, b"key", bytes(MAX_BLOCK_SIZE + 1))) is None


@pytest.mark.parametrize("kind", [0, 3, 255])
def test_an_unknown_kind_is_refused_though_its_checksum_fits(kind: int) -> None:
    fields = MARK + bytes([kind, 3]) + bytes(8)
    head = fields + zlib.crc32(fields + b"key").to_bytes(4, "little") + b"key"
    assert decode_head(MARK, head) is None


def test_checksums_are_zlibs_at_every_length_and_alignment() -> None:
    data = random.Random(0).randbytes((1 << 20) + 64)
    pieces = [data[start : start + size] for start in range(17) for size in range(300)]
    pieces += [memoryview(data)[start : start + (1 << 20) - 3 * start] for start in range(17)]
    for payload in pieces:
        head = decode_head(MARK, encode_head(MARK, Kind.BLOCK, b"key", payload))
        assert head is not None
        assert head.payload_checksum == zlib.crc32(payload)
