"""How connections live and end: goodbyes, losses, silence, violations."""

from __future__ import annotations

import pytest
import trio
import trio.testing
from libp2p.peer.id import ID
from libp2p.stream_muxer.exceptions import MuxedConnUnavailable, MuxedStreamReset

from peershelf.protocols.libp2p.yamux.driver import YamuxConnection
from peershelf.protocols.libp2p.yamux.frames import INITIAL_WINDOW, Flag, Kind
from peershelf.protocols.libp2p.yamux.limits import YamuxLimits

PEER = ID(b"\x00\x01x")


async def stream_pair(a, b):
    ours = await a.open_stream()
    return ours, await b.accept_stream()


async def test_a_goodbye_is_said_and_heard(connections):
    async with connections() as (a, b):
        ours, theirs = await stream_pair(a, b)
        await ours.write(b"last words")
        await a.close()
        await trio.testing.wait_all_tasks_blocked()
        assert a.is_closed
        assert b.is_closed
        assert not b.is_established
        assert await theirs.read() == b"last words"
        for action in (
            theirs.read,
            theirs.read,
            a.open_stream,
            b.open_stream,
            a.accept_stream,
            b.accept_stream,
        ):
            with pytest.raises((MuxedStreamReset, MuxedConnUnavailable)):
                await action()
        assert a.secured_conn.writes[-1][-12:] == bytes.fromhex("00 03 0000 00000000 00000000")


async def test_whoever_waits_learns_that_the_connection_is_lost(connections):
    async with connections() as (a, b):
        ours, _ = await stream_pair(a, b)
        _, idle = await stream_pair(a, b)
        async with trio.open_nursery() as nursery:

            async def expect(error, action, *args):
                with pytest.raises(error):
                    await action(*args)

            nursery.start_soon(expect, MuxedStreamReset, ours.read)
            nursery.start_soon(expect, MuxedStreamReset, idle.read)
            nursery.start_soon(expect, MuxedStreamReset, ours.write, bytes(10 * INITIAL_WINDOW))
            nursery.start_soon(expect, MuxedConnUnavailable, b.accept_stream)
            await trio.testing.wait_all_tasks_blocked()
            await b.secured_conn.close()


async def test_the_end_is_told_once(connections):
    told = []

    async def on_close():
        told.append(1)

    async with connections() as (a, b):
        a.on_close = on_close
        async with trio.open_nursery() as nursery:
            nursery.start_soon(a.close)
            nursery.start_soon(a.close)
            nursery.start_soon(b.secured_conn.close)
        await a.close()
        assert told == [1]


async def test_a_connection_that_never_ran_can_be_closed(secured_pair):
    secured, other = secured_pair()
    connection = YamuxConnection(secured, PEER)
    await connection.close()
    await connection.start()
    assert await other.read() == b""


async def test_a_goodbye_does_not_wait_long_for_a_peer_that_does_not_read(connections, autojump_clock):
    async with connections() as (a, _):
        await trio.testing.wait_all_tasks_blocked()
        a.secured_conn.gate = trio.Event()
        ours = await a.open_stream()
        await ours.write(bytes(100_000))
        before = trio.current_time()
        await a.close()
        assert trio.current_time() - before <= YamuxLimits().close_patience


async def test_a_cancelled_connection_closes_what_it_was_given(secured_pair):
    secured, other = secured_pair()
    connection = YamuxConnection(secured, PEER)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(connection.start)
        await connection.event_started.wait()
        nursery.cancel_scope.cancel()
    assert connection.is_closed
    while await other.read():
        pass


async def test_a_round_trip_is_measured(connections):
    async with connections() as (a, b):
        await trio.testing.wait_all_tasks_blocked()
        assert a.round_trip is not None
        assert b.round_trip is not None


async def test_two_idle_ends_keep_their_connection(connections, autojump_clock):
    async with connections() as (a, b):
        ours, theirs = await stream_pair(a, b)
        await trio.sleep(24 * 3600)
        await ours.write(b"still here")
        assert await theirs.read() == b"still here"


async def test_a_peer_that_vanishes_is_noticed_within_a_minute(raw_peer, autojump_clock):
    async with raw_peer() as (connection, _):
        with trio.fail_after(60), pytest.raises(MuxedConnUnavailable):
            await connection.accept_stream()


async def test_a_violation_is_answered_with_a_go_away(raw_peer, frame, frames_in):
    async with raw_peer() as (connection, raw):
        await raw.write(frame(9))
        with pytest.raises(MuxedConnUnavailable):
            await connection.accept_stream()
        said = b""
        while data := await raw.read():
            said += data
        assert (frames_in(said)[-1][0].kind, frames_in(said)[-1][0].length) == (Kind.GO_AWAY, 1)


async def test_a_connection_that_ends_inside_a_frame_keeps_what_came(raw_peer, frame):
    async with raw_peer() as (connection, raw):
        await raw.write(frame(Kind.DATA, Flag.SYN, 1, 100, b"half of it"))
        stream = await connection.accept_stream()
        await raw.close()
        with pytest.raises(MuxedConnUnavailable):
            await connection.accept_stream()
        assert await stream.read() == b"half of it"
        with pytest.raises(MuxedStreamReset):
            await stream.read()


async def test_who_waits_to_open_a_stream_learns_that_the_connection_is_lost(raw_peer):
    async with raw_peer(unacknowledged=1) as (connection, raw):
        await connection.open_stream()
        async with trio.open_nursery() as nursery:

            async def expect_the_end():
                with pytest.raises(MuxedConnUnavailable):
                    await connection.open_stream()

            nursery.start_soon(expect_the_end)
            await trio.testing.wait_all_tasks_blocked()
            await raw.close()


async def test_opening_waits_for_a_peer_that_acknowledges_nothing(raw_peer, frame, autojump_clock):
    async with raw_peer(unacknowledged=2, ping_interval=1e9, ping_timeout=1e9) as (connection, raw):
        streams = [await connection.open_stream() for _ in range(2)]
        with trio.move_on_after(5) as waited:
            await connection.open_stream()
        assert waited.cancelled_caught
        await raw.write(frame(Kind.WINDOW_UPDATE, Flag.ACK, streams[0].stream_id))
        await connection.open_stream()


async def test_streams_that_come_and_go_leave_nothing_behind(connections):
    async with connections() as (a, b):
        for _ in range(600):
            ours, theirs = await stream_pair(a, b)
            await ours.write(b"x")
            await ours.close()
            await theirs.read()
            await theirs.close()
        await trio.testing.wait_all_tasks_blocked()
        assert a.streams == b.streams == []
        assert not a._streams
        assert not b._streams
        assert a._session.streams.budget.credit == b._session.streams.budget.credit == 0
