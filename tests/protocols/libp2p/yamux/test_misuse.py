"""What a peer can do wrong, and what it costs: nothing, a stream, or its connection."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.protocols.libp2p.yamux.events import SessionEnded, StreamArrived
from peershelf.protocols.libp2p.yamux.frames import INITIAL_WINDOW, Flag, Kind, Reason, encode_header
from peershelf.protocols.libp2p.yamux.limits import YamuxLimits
from peershelf.protocols.libp2p.yamux.session import Session
from peershelf.protocols.libp2p.yamux.stream import Side

DATA, UPDATE, PING, GO_AWAY = Kind
SYN, ACK, FIN, RST = Flag
THEIRS = 1
"""A stream that the peer may open: the session under test did not dial."""


@pytest.fixture
def ends_the_connection(session, frames_in, receive_all):
    """Fails unless the bytes make a session end with a go-away and stop listening."""

    def check(*pieces, match, after=None):
        b = after or session()
        events = [event for piece in pieces for event in receive_all(b, piece)]
        assert isinstance(events[-1], SessionEnded)
        assert events[-1].reason is Reason.PROTOCOL_ERROR
        assert match in events[-1].detail
        ((header, _),) = frames_in(b.data_to_send())
        assert (header.kind, header.length) == (GO_AWAY, Reason.PROTOCOL_ERROR)
        assert b.receive(0.0, encode_header(DATA, SYN, 9, 0)) == []
        assert len(b.streams) == 0

    return check


@pytest.fixture
def is_ignored(session, frame):
    """Fails unless the bytes leave a session as it was, with nothing said, kept or lost."""

    def check(data, after=None):
        b = after or session()
        before = len(b.streams)
        assert b.receive(0.0, data) == []
        assert not b.has_data_to_send
        assert (b.ended, len(b.streams)) == (None, before)
        assert b.receive(0.0, frame(UPDATE, SYN, 77)) == [StreamArrived()]

    return check


@pytest.fixture
def with_stream(session, frame):
    """A session with one accepted stream of the peer, and that stream."""

    def make(**limits):
        b = session(**limits)
        b.receive(0.0, frame(UPDATE, SYN, THEIRS))
        stream = b.accept()
        b.data_to_send()
        return b, stream

    return make


def test_an_unknown_version_ends_the_connection(ends_the_connection, frame):
    ends_the_connection(frame(DATA, SYN, THEIRS, version=1), match="version 1")


def test_an_unknown_type_ends_the_connection(ends_the_connection, frame):
    ends_the_connection(frame(9, 0, THEIRS), match="type 9")


def test_an_unknown_flag_ends_the_connection(ends_the_connection, frame):
    ends_the_connection(frame(UPDATE, 0x100, THEIRS), match="flags 0x0100")


def test_a_frame_of_a_stream_on_the_connection_itself_ends_it(ends_the_connection, frame):
    ends_the_connection(frame(DATA, 0, 0, payload=b"x"), match="stream 0")


def test_a_window_that_is_overrun_by_one_byte_ends_the_connection(ends_the_connection, frame):
    fits = frame(DATA, SYN, THEIRS, payload=bytes(INITIAL_WINDOW))
    ends_the_connection(fits, frame(DATA, 0, THEIRS, payload=b"x"), match="overrun")


def test_a_window_overrun_is_noticed_by_its_announcement(ends_the_connection, frame):
    ends_the_connection(frame(DATA, SYN, THEIRS, 2**32 - 1), match="overrun")


def test_what_had_come_before_a_violation_is_still_read(ends_the_connection, with_stream, frame, read):
    b, stream = with_stream()
    b.receive(0.0, frame(DATA, 0, THEIRS, payload=b"kept"))
    ends_the_connection(frame(9), match="type 9", after=b)
    assert read(b, stream, 100) == b"kept"
    assert stream.receiving is Side.RESET


def test_credit_beyond_32_bits_ends_the_connection(ends_the_connection, with_stream, frame):
    b, stream = with_stream()
    b.receive(0.0, frame(UPDATE, 0, THEIRS, 2**32 - 1 - stream.credit))
    assert b.ended is None
    ends_the_connection(frame(UPDATE, 0, THEIRS, 1), match="32 bits", after=b)


def test_a_stream_with_a_number_that_is_ours_to_give_ends_the_connection(ends_the_connection, frame):
    ends_the_connection(frame(UPDATE, SYN, 2), match="ours to give")


def test_a_stream_that_is_opened_twice_ends_the_connection(ends_the_connection, frame):
    ends_the_connection(frame(UPDATE, SYN, THEIRS), frame(DATA, SYN, THEIRS), match="twice")


def test_a_number_may_be_used_again_when_its_stream_is_over(with_stream, frame):
    b, _ = with_stream()
    b.receive(0.0, frame(UPDATE, RST, THEIRS))
    assert b.receive(0.0, frame(UPDATE, SYN, THEIRS)) == [StreamArrived()]


@pytest.mark.parametrize("stream_id", [7, 2], ids=["one of theirs", "one of ours"])
@pytest.mark.parametrize("flags", [0, ACK, FIN, RST])
def test_frames_of_a_stream_that_is_not_open_are_ignored(is_ignored, frame, stream_id, flags):
    is_ignored(frame(DATA, flags, stream_id, payload=bytes(100_000)))
    is_ignored(frame(UPDATE, flags, stream_id, 12))


def test_more_for_no_stream_than_any_window_ends_the_connection(ends_the_connection, frame):
    ends_the_connection(frame(DATA, 0, 7, YamuxLimits().window + 1), match="no open")


def test_data_after_the_end_of_its_side_is_ignored(is_ignored, with_stream, frame, read):
    b, stream = with_stream()
    b.receive(0.0, frame(DATA, FIN, THEIRS, payload=b"all"))
    is_ignored(frame(DATA, 0, THEIRS, payload=b"more"), after=b)
    assert read(b, stream, 100) == b"all"


def test_data_that_crosses_our_reset_is_skipped(is_ignored, with_stream, frame):
    b, stream = with_stream()
    data = frame(DATA, FIN, THEIRS, payload=bytes(1000))
    b.receive(0.0, data[:500])
    b.reset(stream)
    b.data_to_send()
    is_ignored(data[500:], after=b)


def test_a_stream_opened_and_reset_in_one_frame_never_was(is_ignored, frame):
    is_ignored(frame(UPDATE, SYN | RST, THEIRS))


def test_the_error_code_of_a_reset_is_no_credit(with_stream, frame):
    b, stream = with_stream()
    b.receive(0.0, frame(UPDATE, RST, THEIRS, 2**32 - 1))
    assert b.ended is None
    assert stream.sending is Side.RESET


def test_streams_above_the_backlog_are_reset(session, frame, frames_in):
    b = session(accept_backlog=10)
    flood = b"".join(frame(UPDATE, SYN, number) for number in range(1, 201, 2))
    assert b.receive(0.0, flood) == [StreamArrived()] * 10
    refused = [(header.stream_id, header.flags) for header, _ in frames_in(b.data_to_send())]
    assert refused == [(number, RST) for number in range(21, 201, 2)]
    assert b.ended is None


def test_streams_above_the_cap_are_reset_though_all_are_accepted(session, frame, frames_in):
    b = session(inbound_streams=10)
    for number in range(1, 41, 2):
        b.receive(0.0, frame(UPDATE, SYN, number))
        b.accept()
    assert len(b.streams) == 10
    assert [header.flags for header, _ in frames_in(b.data_to_send())] == [ACK] * 10 + [RST] * 10


def test_a_place_is_free_again_when_a_stream_is_over(session, frame):
    b = session(inbound_streams=1)
    for _ in range(5):
        assert b.receive(0.0, frame(UPDATE, SYN, THEIRS)) == [StreamArrived()]
        b.finish(b.accept())
        b.receive(0.0, frame(UPDATE, FIN, THEIRS))


def test_opening_and_resetting_takes_no_place(session, frame):
    b = session(accept_backlog=5)
    for number in range(1, 2001, 2):
        b.receive(0.0, frame(UPDATE, SYN, number) + frame(UPDATE, RST, number))
    assert len(b.streams) == 0
    assert b.accept() is None


def test_a_flood_of_streams_that_does_not_read_the_refusals_is_cut_off(session, frame, ends_the_connection):
    b = session(accept_backlog=1)
    flood = [frame(UPDATE, SYN, number) for number in range(1, 60_001, 2)]
    ends_the_connection(b"".join(flood), match="does not read", after=b)


def test_a_flood_of_pings_is_answered_a_few_times(session, frame, frames_in):
    b = session(pongs=32)
    b.receive(0.0, b"".join(frame(PING, SYN, 0, number) for number in range(10_000)))
    assert [header.length for header, _ in frames_in(b.data_to_send())] == list(range(32))
    b.receive(0.0, frame(PING, SYN, 0, 5))
    assert b.has_data_to_send


def test_so_many_frames_are_dealt_with_at_a_time(session, frame):
    b = session(frames_at_a_time=10)
    b.receive(0.0, b"".join(frame(UPDATE, SYN, number) for number in range(1, 51, 2)))
    found = [len(b.streams)]
    while b.is_behind:
        b.receive(0.0)
        found.append(len(b.streams))
    assert found == [10, 20, 25]


def test_nothing_is_left_to_deal_with_once_the_session_has_ended(session, frame):
    b = session(frames_at_a_time=10)
    b.receive(0.0, frame(UPDATE, SYN, THEIRS) + frame(UPDATE, 0, THEIRS, 1) * 50)
    b.lost("the test says so")
    assert not b.is_behind


def test_a_go_away_stops_everything_after_it(session, frame):
    b = session()
    events = b.receive(0.0, frame(GO_AWAY, 0, 0, 2) + frame(UPDATE, SYN, THEIRS))
    assert events == [SessionEnded(2, "the peer said goodbye")]
    assert not b.has_data_to_send


def test_unread_bytes_of_all_streams_are_bounded_by_resetting_who_exceeds(session, frame, frames_in, read):
    b = session(unread=1 << 20)
    payload = bytes(INITIAL_WINDOW)
    streams = []
    for number in range(1, 21, 2):
        b.receive(0.0, frame(UPDATE, SYN, number))
        streams.append(b.accept())
        b.data_to_send()
        b.receive(0.0, frame(DATA, 0, number, payload=payload))
    assert sum(len(stream.buffer) for stream in streams) == 1 << 20
    assert [stream.receiving for stream in streams] == [Side.OPEN] * 4 + [Side.RESET] * 6
    assert b.ended is None
    assert len(read(b, streams[0], 1 << 30)) == INITIAL_WINDOW


def test_memory_stays_near_the_bound_however_small_the_frames(session, frame, receive_all):
    b = session()
    chunk = {number: frame(DATA, 0, number, payload=b"x") * 5_000 for number in range(1, 11, 2)}
    tracemalloc.start()
    try:
        for number, data in chunk.items():
            b.receive(0.0, frame(UPDATE, SYN, number))
            for _ in range(4):
                receive_all(b, data)
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert used < 1_000_000


def test_a_payload_in_pieces_gives_no_credit_twice(with_stream, frame, read):
    b, stream = with_stream()
    data = frame(DATA, 0, THEIRS, payload=bytes(INITIAL_WINDOW))
    step = INITIAL_WINDOW // 8
    for start in range(0, len(data), step):
        b.receive(0.0, data[start : start + step])
        read(b, stream, step // 2, 100.0)
        assert stream.window.credit + stream.window.unread <= INITIAL_WINDOW


frames = st.builds(
    lambda kind, flags, number, length, payload: encode_header(kind, flags, number, length) + payload,
    st.sampled_from([0, 0, 1, 1, 2, 3]),
    st.integers(0, 17),
    st.integers(0, 6),
    st.sampled_from([0, 1, 5, 300_000, 2**32 - 1]),
    st.binary(max_size=20),
)


@given(st.lists(st.binary(max_size=40) | frames, max_size=40), st.booleans())
def test_no_bytes_make_a_session_raise_or_hold_more_than_it_may(pieces, initiator):
    b = Session(initiator=initiator, now=0.0, limits=YamuxLimits(accept_backlog=2))
    if initiator:
        b.open(0.0)
    for now, piece in enumerate(pieces):
        b.receive(float(now), piece)
        stream = b.accept() if b.ended is None else None
        if stream is not None and now % 2:
            b.finish(stream)
        for known in b.streams:
            assert 0 <= known.window.credit <= known.window.size
            assert len(known.buffer) == known.window.unread
        assert b.ended is None or len(b.streams) == 0
        b.data_to_send()
