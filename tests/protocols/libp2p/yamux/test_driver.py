"""Streams over a secured connection in memory, under virtual time where time matters."""

from __future__ import annotations

import secrets

import pytest
import trio
import trio.testing
from libp2p.stream_muxer.exceptions import MuxedStreamClosed, MuxedStreamEOF, MuxedStreamReset

from peershelf.protocols.libp2p.yamux.frames import INITIAL_WINDOW, MAX_FRAME


async def stream_pair(a, b):
    ours = await a.open_stream()
    return ours, await b.accept_stream()


async def read_all(stream):
    received = b""
    while True:
        try:
            received += await stream.read()
        except MuxedStreamEOF:
            return received


async def test_bytes_go_both_ways(connections):
    async with connections() as (a, b):
        ours, theirs = await stream_pair(a, b)
        await ours.write(b"question")
        await ours.close()
        assert await read_all(theirs) == b"question"
        await theirs.write(b"answer")
        await theirs.close()
        assert await read_all(ours) == b"answer"
        await trio.testing.wait_all_tasks_blocked()
        assert a.streams == b.streams == []


async def test_a_read_takes_what_is_there_up_to_what_is_asked_for(connections):
    async with connections() as (a, b):
        ours, theirs = await stream_pair(a, b)
        await ours.write(b"abcdef")
        assert await theirs.read(0) == b""
        assert await theirs.read(4) == b"abcd"
        assert await theirs.read(4) == b"ef"


async def test_what_is_written_may_be_changed_afterwards(connections):
    async with connections() as (a, b):
        ours, theirs = await stream_pair(a, b)
        data = bytearray(b"as it was")
        await ours.write(data)
        data[:] = b"as it is!"
        assert await theirs.read() == b"as it was"


async def test_much_data_on_many_streams_arrives(connections):
    async with connections() as (a, b):
        data = [secrets.token_bytes(3_000_000) for _ in range(4)]

        async def send(one):
            async with await a.open_stream() as stream:
                await stream.write(one)

        async with trio.open_nursery() as nursery:
            for one in data:
                nursery.start_soon(send, one)
            received = [await read_all(await b.accept_stream()) for _ in data]
        assert sorted(received) == sorted(data)


async def test_several_frames_are_sealed_into_one_write(connections):
    async with connections() as (a, b):
        ours, theirs = await stream_pair(a, b)
        await trio.testing.wait_all_tasks_blocked()
        a.secured_conn.writes.clear()
        await ours.write(bytes(200_000))
        assert len(await theirs.read()) > 0
        assert len(a.secured_conn.writes) == 1
        assert len(a.secured_conn.writes[0]) > 3 * MAX_FRAME


async def test_a_writer_waits_for_credit_however_long_it_takes(connections, autojump_clock):
    async with connections() as (a, b):
        ours, theirs = await stream_pair(a, b)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ours.write, bytes(2 * INITIAL_WINDOW))
            await trio.sleep(3600)
            assert len(nursery.child_tasks) == 1
            received = 0
            while received < 2 * INITIAL_WINDOW:
                received += len(await theirs.read())


async def test_a_writer_gives_up_when_its_caller_does(connections, autojump_clock):
    async with connections() as (a, b):
        ours, theirs = await stream_pair(a, b)
        with pytest.raises(trio.TooSlowError), trio.fail_after(5):
            await ours.write(bytes(2 * INITIAL_WINDOW))
        with pytest.raises(trio.TooSlowError):
            ours.set_deadline(2)
            await ours.write(b"x")
        with pytest.raises(ValueError):
            ours.set_deadline(-1)
        second, _ = await stream_pair(a, b)
        await second.write(b"the connection is not hurt")
        assert len(await theirs.read()) == INITIAL_WINDOW


async def test_what_a_cancelled_writer_has_sent_is_whole_frames(connections):
    async with connections() as (a, b):
        ours, theirs = await stream_pair(a, b)
        data = secrets.token_bytes(4 * INITIAL_WINDOW)
        sent = 0
        while sent < INITIAL_WINDOW:
            sent += await ours.write_some(memoryview(data)[sent:])
        with trio.CancelScope() as scope:
            scope.cancel()
            await ours.write_some(memoryview(data)[sent:])
        with trio.move_on_after(0.01):
            await ours.write_some(memoryview(data)[sent:])
        await ours.close()
        assert await read_all(theirs) == data[:sent]


async def test_a_cancelled_read_loses_nothing(connections):
    async with connections() as (a, b):
        ours, theirs = await stream_pair(a, b)
        await ours.write(b"kept")
        await trio.testing.wait_all_tasks_blocked()
        with trio.CancelScope() as scope:
            scope.cancel()
            await theirs.read()
        assert await theirs.read() == b"kept"


async def test_a_writer_is_woken_by_a_reset(connections):
    async with connections() as (a, b):
        ours, theirs = await stream_pair(a, b)
        async with trio.open_nursery() as nursery:

            async def write():
                with pytest.raises(MuxedStreamReset):
                    await ours.write(bytes(2 * INITIAL_WINDOW))

            nursery.start_soon(write)
            await trio.testing.wait_all_tasks_blocked()
            await theirs.reset()
        with pytest.raises(MuxedStreamReset):
            await ours.read()


async def test_reader_and_writer_of_a_stream_are_woken_by_its_own_reset(connections):
    async with connections() as (a, b):
        ours, _ = await stream_pair(a, b)
        async with trio.open_nursery() as nursery:

            async def expect_reset(action, *args):
                with pytest.raises(MuxedStreamReset):
                    await action(*args)

            nursery.start_soon(expect_reset, ours.write, bytes(2 * INITIAL_WINDOW))
            nursery.start_soon(expect_reset, ours.read)
            await trio.testing.wait_all_tasks_blocked()
            await ours.reset()


async def test_after_closing_nothing_can_be_written(connections):
    async with connections() as (a, b):
        ours, _ = await stream_pair(a, b)
        await ours.close()
        await ours.close()
        with pytest.raises(MuxedStreamClosed):
            await ours.write(b"late")


async def test_writers_of_one_connection_take_turns(connections):
    async with connections(window=INITIAL_WINDOW) as (a, b):
        progress = []

        async def send(number):
            stream = await a.open_stream()
            for _ in range(20):
                await stream.write(bytes(100_000))
                progress.append(number)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(send, 0)
            nursery.start_soon(send, 1)
            for _ in range(2):
                stream = await b.accept_stream()
                nursery.start_soon(drain, stream, 2_000_000)
        assert {0, 1} == set(progress[:20])


async def drain(stream, size):
    while size:
        size -= len(await stream.read())
