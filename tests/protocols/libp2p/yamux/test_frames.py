"""Headers and the cutting of bytes into frames."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.protocols.libp2p.yamux.errors import YamuxViolation
from peershelf.protocols.libp2p.yamux.frames import (
    MAX_PAYLOAD,
    Flag,
    FrameDecoder,
    Header,
    Kind,
    encode_header,
    parse_header,
)

stream_headers = st.tuples(
    st.sampled_from([Kind.DATA, Kind.WINDOW_UPDATE]),
    st.integers(0, 15),
    st.integers(1, 2**32 - 1),
    st.integers(0, 2**32 - 1),
)
connection_headers = st.tuples(
    st.sampled_from([Kind.PING, Kind.GO_AWAY]), st.integers(0, 15), st.just(0), st.integers(0, 2**32 - 1)
)


def parts_of(decoder):
    found = []
    while (part := decoder.next()) is not None:
        found.append(part)
    return found


def test_the_layout_is_the_one_of_the_specification():
    assert encode_header(Kind.DATA, Flag.SYN | Flag.FIN, 0x01020304, 5) == bytes.fromhex(
        "00 00 0005 01020304 00000005"
    )
    assert encode_header(Kind.GO_AWAY, 0, 0, 1) == bytes.fromhex("00 03 0000 00000000 00000001")


@given(stream_headers | connection_headers)
def test_what_is_encoded_is_parsed(fields):
    assert parse_header(encode_header(*fields)) == Header(*fields)


def test_a_full_frame_of_ours_is_one_noise_message():
    assert len(encode_header(Kind.DATA, 0, 1, MAX_PAYLOAD)) + MAX_PAYLOAD == 65_535 - 16


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("01 00 0000 00000001 00000000", "version 1"),
        ("ff 00 0000 00000001 00000000", "version 255"),
        ("00 04 0000 00000001 00000000", "type 4"),
        ("00 ff 0000 00000000 00000000", "type 255"),
        ("00 00 0010 00000001 00000000", "flags 0x0010"),
        ("00 02 8001 00000000 00000000", "flags 0x8001"),
        ("00 00 0000 00000000 00000000", "stream 0"),
        ("00 01 0001 00000000 00000000", "stream 0"),
        ("00 02 0001 00000003 00000000", "stream 3"),
        ("00 03 0000 00000001 00000000", "stream 1"),
    ],
)
def test_what_is_not_known_is_a_violation(text, reason):
    with pytest.raises(YamuxViolation, match=reason):
        parse_header(bytes.fromhex(text))


@given(
    payloads=st.lists(st.binary(max_size=3_000), max_size=6),
    cuts=st.lists(st.integers(1, 2_000), min_size=1, max_size=30),
)
def test_frames_come_out_the_same_however_the_bytes_are_cut(payloads, cuts):
    stream = b"".join(encode_header(Kind.DATA, 0, 1, len(one)) + one for one in payloads)
    decoder = FrameDecoder()
    headers, received, offset, turn = 0, b"", 0, 0
    while offset < len(stream):
        size = cuts[turn % len(cuts)]
        decoder.receive(stream[offset : offset + size])
        for part in parts_of(decoder):
            headers += isinstance(part, Header)
            received += b"" if isinstance(part, Header) else bytes(part)
        offset, turn = offset + size, turn + 1
    assert (headers, received, decoder.due) == (len(payloads), b"".join(payloads), 0)


def test_an_announced_payload_is_not_waited_for_nor_reserved():
    decoder = FrameDecoder()
    decoder.receive(encode_header(Kind.DATA, 0, 1, 2**32 - 1) + b"abc")
    header, piece = parts_of(decoder)
    assert bytes(piece) == b"abc"
    assert decoder.due == header.length - 3


@given(st.lists(st.binary(max_size=100), max_size=20))
def test_garbage_raises_nothing_but_a_violation(pieces):
    decoder = FrameDecoder()
    with contextlib.suppress(YamuxViolation):
        for piece in pieces:
            decoder.receive(piece)
            parts_of(decoder)
