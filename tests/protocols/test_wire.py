"""The framing of messages on a stream."""

from __future__ import annotations

import contextlib
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.protocols.errors import MalformedMessage, MessageTooLarge
from peershelf.protocols.wire import FrameDecoder, encode_frame, frame_header


def frames_of(decoder: FrameDecoder) -> list[bytes]:
    found = []
    while (frame := decoder.next_frame()) is not None:
        found.append(bytes(frame))
    return found


def test_a_frame_is_its_length_and_its_payload():
    assert encode_frame(b"abc") == b"\x03abc"
    assert encode_frame(b"") == b"\x00"
    assert encode_frame(bytes(300))[:2] == frame_header(300) == b"\xac\x02"


@given(
    payloads=st.lists(st.binary(max_size=20_000), max_size=6),
    cuts=st.lists(st.integers(1, 9_000), min_size=1, max_size=30),
)
def test_frames_come_out_whole_however_the_stream_is_cut(payloads, cuts):
    stream = b"".join(encode_frame(payload) for payload in payloads)
    decoder = FrameDecoder(20_000)
    found: list[bytes] = []
    offset = turn = 0
    while offset < len(stream):
        size = cuts[turn % len(cuts)]
        decoder.receive(stream[offset : offset + size])
        found += frames_of(decoder)
        offset += size
        turn += 1
    assert found == payloads
    assert not decoder.mid_frame


def test_a_frame_within_one_piece_is_not_copied():
    piece = encode_frame(bytes(10_000)) + encode_frame(b"next")
    decoder = FrameDecoder(10_000)
    decoder.receive(piece)
    frame = decoder.next_frame()
    assert frame is not None
    assert frame.obj is piece


def test_the_pieces_of_a_frame_are_not_copied():
    pieces = [encode_frame(bytes(15_000))[:5_000], bytes(5_000), bytes(5_002) + encode_frame(b"next")]
    decoder = FrameDecoder(15_000)
    for piece in pieces:
        decoder.receive(piece)
    found = decoder.next_pieces()
    assert found is not None
    assert [piece.obj for piece in found] == pieces
    assert b"".join(found) == bytes(15_000)
    assert frames_of(decoder) == [b"next"]


def test_what_is_missing_of_a_frame_is_known_once_its_length_is():
    decoder = FrameDecoder(1_000)
    decoder.receive(b"\xac")
    assert decoder.next_frame() is None
    assert decoder.missing == 1
    decoder.receive(b"\x02" + bytes(100))
    assert decoder.next_frame() is None
    assert decoder.missing == 200


def test_the_length_is_known_before_the_body():
    decoder = FrameDecoder(1_000)
    decoder.receive(b"\xac")
    assert decoder.next_frame() is None
    assert decoder.announced is None
    assert decoder.mid_frame
    decoder.receive(b"\x02")
    assert decoder.next_frame() is None
    assert decoder.announced == 300


def test_a_length_over_the_limit_is_refused_at_once_and_its_body_dropped():
    decoder = FrameDecoder(4 * 1024 * 1024)
    decoder.receive(frame_header(4 * 1024 * 1024 + 1) + bytes(60_000))
    with pytest.raises(MessageTooLarge):
        decoder.next_frame()
    assert not decoder.mid_frame


def test_a_length_at_the_limit_is_accepted():
    decoder = FrameDecoder(300)
    decoder.receive(encode_frame(bytes(300)))
    assert frames_of(decoder) == [bytes(300)]


def test_frames_before_an_oversized_one_still_come_out():
    decoder = FrameDecoder(10)
    decoder.receive(b"\x01a" + b"\x0b" + bytes(11))
    assert decoder.next_frame() == b"a"
    with pytest.raises(MessageTooLarge):
        decoder.next_frame()


@pytest.mark.parametrize(
    "length",
    [
        pytest.param(b"\xff" * 10 + b"\x01", id="eleven bytes"),
        pytest.param(b"\x80" * 10, id="ten bytes and no end"),
        pytest.param(b"\x83\x00", id="not minimal"),
        pytest.param(b"\xff" * 9 + b"\x02", id="65 bits"),
    ],
)
def test_a_length_that_is_no_minimal_varint_is_malformed(length):
    decoder = FrameDecoder(1_000)
    with pytest.raises(MalformedMessage):
        for byte in length:
            decoder.receive(bytes([byte]))
            decoder.next_frame()


@given(st.binary(max_size=200))
def test_arbitrary_bytes_raise_only_protocol_errors(data):
    decoder = FrameDecoder(100)
    decoder.receive(data)
    with contextlib.suppress(MalformedMessage, MessageTooLarge):
        assert all(len(frame) <= 100 for frame in frames_of(decoder))


def test_a_message_sent_byte_by_byte_takes_about_its_size_in_memory():
    size = 200_000
    decoder = FrameDecoder(size)
    decoder.receive(frame_header(size))
    tracemalloc.start()
    for _ in range(size - 1):
        decoder.receive(b"\x00")
        decoder.next_frame()
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used < 2 * size
    decoder.receive(b"\x00")
    assert decoder.next_frame() == bytes(size)


def test_an_announced_length_reserves_no_memory():
    decoder = FrameDecoder(1 << 30)
    tracemalloc.start()
    decoder.receive(frame_header(1 << 30))
    decoder.next_frame()
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used < 10_000
