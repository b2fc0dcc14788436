"""Two sessions that behave: streams open, carry bytes, close by halves, and end."""

from __future__ import annotations

import pytest

from peershelf.protocols.errors import LocalProtocolError
from peershelf.protocols.libp2p.yamux.events import (
    Readable,
    SessionEnded,
    StreamAcknowledged,
    StreamArrived,
    Writable,
)
from peershelf.protocols.libp2p.yamux.frames import INITIAL_WINDOW, Flag, Kind, Reason
from peershelf.protocols.libp2p.yamux.stream import Side


@pytest.fixture
def pair(session):
    return session(initiator=True), session(initiator=False)


@pytest.fixture
def opened(pair, exchange):
    """Both ends of one stream: ours, theirs."""
    a, b = pair
    ours = a.open(0.0)
    exchange(a, b)
    theirs = b.accept()
    exchange(a, b)
    return ours, theirs


def send_all(session, stream, data):
    assert session.send(stream, memoryview(data)) == len(data)


def test_the_dialing_side_gives_odd_numbers_and_the_other_one_even_ones(pair):
    assert [pair[0].open(0.0).id for _ in range(2)] == [1, 3]
    assert [pair[1].open(0.0).id for _ in range(2)] == [2, 4]


def test_a_stream_is_told_of_accepted_and_acknowledged(pair, exchange):
    a, b = pair
    ours = a.open(0.0)
    assert exchange(a, b) == [StreamArrived()]
    assert b.accept().id == ours.id
    assert exchange(a, b) == [StreamAcknowledged()]
    assert b.accept() is None


def test_bytes_arrive_in_both_directions(pair, opened, exchange, read):
    (a, b), (ours, theirs) = pair, opened
    send_all(a, ours, b"question")
    send_all(b, theirs, b"answer")
    assert exchange(a, b) == [Readable(theirs), Readable(ours)]
    assert read(b, theirs, 4) + read(b, theirs, 100) == b"question"
    assert read(a, ours, 100) == b"answer"
    assert read(a, ours, 100) == b""


def test_no_more_is_sent_than_there_is_credit_for(pair, opened, exchange, read):
    (a, b), (ours, theirs) = pair, opened
    data = memoryview(bytes(2 * INITIAL_WINDOW))
    sent = 0
    while (size := a.send(ours, data)) > 0:
        sent += size
        exchange(a, b)
    assert sent == INITIAL_WINDOW
    assert len(read(b, theirs, 1 << 30)) == INITIAL_WINDOW
    assert exchange(a, b) == [Writable(ours)]
    assert a.send(ours, data) > 0


def test_what_waits_to_be_sent_is_bounded(session):
    a = session(initiator=True, send_queue=100_000)
    streams = [a.open(0.0) for _ in range(10)]
    data = memoryview(bytes(INITIAL_WINDOW))
    assert [bool(a.send(stream, data)) for stream in streams] == [True] + [False] * 9


def test_a_side_that_ended_leaves_the_other_one_open(pair, opened, exchange, read):
    (a, b), (ours, theirs) = pair, opened
    send_all(a, ours, b"question")
    a.finish(ours)
    assert exchange(a, b) == [Readable(theirs), Readable(theirs)]
    assert read(b, theirs, 100) == b"question"
    assert theirs.receiving is Side.ENDED
    send_all(b, theirs, b"answer")
    b.finish(theirs)
    exchange(a, b)
    assert read(a, ours, 100) == b"answer"
    assert ours.receiving is Side.ENDED
    assert len(a.streams) == len(b.streams) == 0


def test_our_side_that_ended_takes_no_more_data(pair, opened):
    a, ours = pair[0], opened[0]
    a.finish(ours)
    with pytest.raises(LocalProtocolError):
        a.send(ours, memoryview(b"late"))


def test_a_reset_ends_both_sides_and_drops_what_was_not_read(pair, opened, exchange, read):
    (a, b), (ours, theirs) = pair, opened
    send_all(a, ours, b"question")
    exchange(a, b)
    a.reset(ours)
    assert exchange(a, b) == [Readable(theirs), Writable(theirs)]
    assert read(b, theirs, 100) == b""
    assert (theirs.sending, theirs.receiving) == (Side.RESET, Side.RESET)
    assert len(a.streams) == len(b.streams) == 0


def test_a_stream_that_is_over_but_not_read_gives_its_bytes_back_when_it_is_reset(pair, opened, exchange):
    (a, b), (ours, theirs) = pair, opened
    send_all(a, ours, b"nobody reads this")
    a.finish(ours)
    b.finish(theirs)
    exchange(a, b)
    b.reset(theirs)
    assert b.streams.budget.unread == 0
    assert not b.has_data_to_send


def test_what_the_peer_had_ended_properly_is_readable_after_its_reset(pair, opened, exchange, read):
    (a, b), (ours, theirs) = pair, opened
    send_all(a, ours, b"all of it")
    a.finish(ours)
    a.reset(ours)
    exchange(a, b)
    assert read(b, theirs, 100) == b"all of it"
    assert (theirs.sending, theirs.receiving) == (Side.RESET, Side.ENDED)


def test_a_goodbye_ends_streams_but_keeps_what_came_before(pair, opened, exchange, read):
    (a, b), (ours, theirs) = pair, opened
    send_all(a, ours, b"last words")
    assert a.close() == [Readable(ours), Writable(ours), SessionEnded(Reason.NORMAL, "closed by us")]
    assert exchange(a, b)[-1] == SessionEnded(Reason.NORMAL, "the peer said goodbye")
    assert read(b, theirs, 100) == b"last words"
    assert theirs.receiving is Side.RESET
    assert not b.may_open
    with pytest.raises(LocalProtocolError):
        b.open(0.0)
    assert not b.has_data_to_send


def test_a_lost_connection_ends_streams_but_keeps_what_came_before(pair, opened, exchange, read):
    (a, b), (ours, theirs) = pair, opened
    send_all(a, ours, b"first")
    exchange(a, b)
    assert b.lost("cut")[-1] == SessionEnded(None, "cut")
    assert b.lost("again") == []
    b.reset(theirs)
    assert read(b, theirs, 100) == b"first"
    assert theirs.receiving is Side.RESET


def test_streams_that_the_peer_has_not_acknowledged_are_bounded(session, exchange):
    a, b = session(initiator=True, unacknowledged=3), session()
    streams = [a.open(0.0) for _ in range(3)]
    assert not a.may_open
    a.reset(streams[0])
    assert a.may_open
    a.open(0.0)
    exchange(a, b)
    assert not a.may_open
    b.accept()
    assert StreamAcknowledged() in exchange(a, b)
    assert a.may_open


def test_a_stream_reset_before_anybody_accepted_it_is_not_accepted(pair, exchange):
    a, b = pair
    first, second = a.open(0.0), a.open(0.0)
    send_all(a, first, b"data")
    exchange(a, b)
    a.reset(first)
    exchange(a, b)
    assert b.accept().id == second.id
    assert b.accept() is None


def test_a_peer_that_reads_fast_is_given_a_larger_window(pair, opened, exchange, read):
    (a, b), (ours, theirs) = pair, opened
    b._keepalive.round_trip = 0.1
    now, granted = 0.0, []
    for _ in range(60):
        while a.send(ours, memoryview(bytes(1 << 20))):
            exchange(a, b, now=now)
        now += 0.01
        read(b, theirs, 1 << 30, now)
        exchange(a, b, now=now)
        granted.append(ours.credit)
    assert granted == sorted(granted)
    assert granted[-1] == 16 << 20


def test_a_round_trip_is_measured_at_once_and_again_later(session, frames_in, frame):
    a = session(ping_interval=30.0)
    a.receive(0.2, frame(Kind.PING, Flag.ACK, 0, 1))
    assert a.round_trip == pytest.approx(0.2)
    assert a.deadline == 30.0
    a.tick(29.0)
    assert not a.has_data_to_send
    a.tick(30.0)
    ((header, _),) = frames_in(a.data_to_send())
    assert (header.kind, header.flags) == (Kind.PING, Flag.SYN)
    a.receive(30.4, frame(Kind.PING, Flag.ACK, 0, header.length))
    assert a.round_trip == pytest.approx(0.3)


def test_a_peer_that_stays_silent_after_a_ping_is_given_up(session):
    a = session(ping_timeout=20.0)
    assert a.deadline == 20.0
    assert a.tick(19.9) == []
    assert a.tick(20.0) == [SessionEnded(None, "the peer does not answer pings")]


def test_a_peer_whose_answer_is_stuck_behind_its_data_is_not_given_up(session, frame):
    a = session(ping_timeout=20.0)
    for now in range(0, 100, 10):
        a.receive(float(now), frame(Kind.WINDOW_UPDATE, 0, 7, 1))
        assert a.tick(float(now)) == []
    assert a.tick(110.0) != []


def test_an_answer_to_a_ping_that_was_never_sent_means_nothing(session, frame):
    a = session()
    a.receive(1.0, frame(Kind.PING, Flag.ACK, 0, 99))
    assert a.round_trip is None
    assert a.ended is None
