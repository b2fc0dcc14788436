"""Bytes received and not yet read."""

from __future__ import annotations

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from peershelf.protocols.libp2p.yamux.buffer import ReceiveBuffer


@given(st.lists(st.binary(min_size=1, max_size=9_000) | st.integers(0, 12_000), max_size=40))
def test_bytes_come_out_in_the_order_in_which_they_came(steps):
    buffer, expected = ReceiveBuffer(), b""
    for step in steps:
        if isinstance(step, bytes):
            buffer.append(memoryview(step))
            expected += step
        else:
            taken = b"".join(buffer.take(step))
            assert isinstance(taken, bytes)
            assert taken == expected[:step]
            expected = expected[step:]
        assert len(buffer) == len(expected)
    assert b"".join(buffer.take(1 << 40)) == expected


def test_single_bytes_do_not_cost_an_object_each():
    buffer, byte = ReceiveBuffer(), memoryview(b"x" * 65_519)
    tracemalloc.start()
    try:
        for _ in range(200_000):
            buffer.append(byte[:1])
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert used < 400_000


def test_a_large_piece_is_not_copied_whatever_came_before():
    buffer, large = ReceiveBuffer(), bytes(5_000)
    buffer.append(memoryview(b"small"))
    buffer.append(memoryview(large))
    _, piece = buffer.take(1 << 40)
    assert isinstance(piece, memoryview)
    assert piece.obj is large


def test_what_was_taken_stays_as_it_was_when_more_comes():
    buffer = ReceiveBuffer()
    buffer.append(memoryview(b"abcd"))
    taken = buffer.take(2)
    buffer.append(memoryview(b"efgh"))
    assert (b"".join(taken), b"".join(buffer.take(9))) == (b"ab", b"cdefgh")


def test_what_is_kept_does_not_keep_what_it_came_in():
    chunk = bytearray(65_519)
    buffer = ReceiveBuffer()
    buffer.append(memoryview(chunk)[:5_000])
    chunk.clear()  # raises BufferError where a view on it is kept
    assert b"".join(buffer.take(5_000)) == bytes(5_000)
