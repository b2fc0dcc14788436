"""AutoNAT v2's messages, byte by byte."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.blockstore import protobuf
from peershelf.protocols.errors import MalformedMessage
from peershelf.protocols.reachability.messages import (
    MAX_ADDRESS,
    MAX_ADDRESSES,
    Answer,
    Data,
    DataWanted,
    Dialed,
    Question,
    Status,
    decode,
    decode_dial_back,
    encode,
    encode_dial_back,
)

ADDRESS = bytes([4, 8, 8, 8, 8, 6, 15, 161])

KNOWN = [
    (Question((ADDRESS,), 0x0102030405060708), "0a13 0a08 0408080808060fa1 11 0807060504030201"),
    (Answer(Status.OK, 1, Dialed.OK), "1208 08c801 1001 18c801"),
    (Answer(Status.DIAL_REFUSED), "1202 0865"),
    (Answer(Status.INTERNAL_ERROR), "1200"),
    (DataWanted(0, 30_000), "1a04 10b0ea01"),
    (Data(b"abc"), "2205 0a03616263"),
]
"""As go-libp2p's .proto has them: numbers that are 0 are left out, the nonce is a fixed64."""


@pytest.mark.parametrize(("message", "hexadecimal"), KNOWN)
def test_the_bytes_are_those_of_the_specification(message, hexadecimal):
    data = bytes.fromhex(hexadecimal)
    assert encode(message) == data
    assert decode(data) == message


@given(st.integers(0, 2**64 - 1))
def test_a_dial_back_carries_its_nonce(nonce):
    assert encode_dial_back(nonce) == b"\x09" + nonce.to_bytes(8, "little")
    assert decode_dial_back(encode_dial_back(nonce)) == nonce


@pytest.mark.parametrize(
    "hexadecimal",
    ["", "0a", "0a05", "08c801", "1203 08c901", "1205 08c801 1801", "2a00", "0a02 0a05", "0b"],
)
def test_nonsense_is_malformed(hexadecimal):
    with pytest.raises(MalformedMessage):
        decode(bytes.fromhex(hexadecimal))


@pytest.mark.parametrize("data", [b"", b"\x08\x01", b"\x09\x01", b"\x0a\x00"])
def test_a_dial_back_without_a_nonce_is_malformed(data):
    with pytest.raises(MalformedMessage):
        decode_dial_back(data)


def test_too_many_addresses_are_cut_and_too_long_ones_keep_their_place():
    listed = [b"x" * (MAX_ADDRESS + 1), *[ADDRESS] * MAX_ADDRESSES]
    question = decode(
        protobuf.bytes_field(1, b"".join(protobuf.bytes_field(1, address) for address in listed))
    )
    assert question.addresses == (b"", *[ADDRESS] * (MAX_ADDRESSES - 1))


@given(st.binary(max_size=100))
def test_any_bytes_are_a_message_or_malformed(data):
    with contextlib.suppress(MalformedMessage):
        message = decode(data)
        assert decode(encode(message)) == message
    with contextlib.suppress(MalformedMessage):
        decode_dial_back(data)
