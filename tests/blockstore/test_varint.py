from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.blockstore import varint


@given(st.integers(0, (1 << 64) - 1), st.binary(max_size=4), st.binary(max_size=4))
def test_every_value_round_trips_between_other_bytes(value: int, before: bytes, after: bytes) -> None:
    encoded = varint.encode(value)
    assert varint.decode(before + encoded + after, len(before)) == (value, len(before) + len(encoded))


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (0, "00"),
        (1, "01"),
        (127, "7f"),
        (128, "8001"),
        (300, "ac02"),
        (16384, "808001"),
        ((1 << 64) - 1, "ffffffffffffffffff01"),
    ],
)
def test_values_have_the_encoding_of_the_specification(value: int, encoded: str) -> None:
    assert varint.encode(value).hex() == encoded


@pytest.mark.parametrize("value", [-1, 1 << 64])
def test_values_outside_64_bits_are_not_encoded(value: int) -> None:
    with pytest.raises(varint.InvalidVarint):
        varint.encode(value)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("8000", id="overlong zero"),
        pytest.param("ff00", id="overlong 127"),
        pytest.param("ffffffffffffffffff02", id="2^64 and more"),
        pytest.param("8080808080808080808001", id="eleven bytes"),
    ],
)
def test_other_encodings_of_a_value_are_invalid(data: str) -> None:
    with pytest.raises(varint.InvalidVarint) as raised:
        varint.decode(bytes.fromhex(data))
    assert raised.type is varint.InvalidVarint


@given(st.integers(0, (1 << 64) - 1))
def test_a_cut_varint_is_told_apart_from_a_wrong_one(value: int) -> None:
    encoded = varint.encode(value)
    for length in range(len(encoded)):
        with pytest.raises(varint.TruncatedVarint):
            varint.decode(encoded[:length])


@given(st.binary(max_size=12))
def test_bytes_decode_to_their_only_encoding_or_are_invalid(data: bytes) -> None:
    try:
        value, end = varint.decode(data)
    except varint.InvalidVarint:
        return
    assert varint.encode(value) == data[:end]
