"""A TCP stream's writes are whole or final, and its reads are bounded."""

from __future__ import annotations

import socket

import pytest
import trio
from libp2p.io.exceptions import ConnectionClosedError

from peershelf.protocols.libp2p.transport.stream import ABANDONED_WRITE, READ_SIZE, TcpStream

MORE_THAN_THE_KERNEL_BUFFERS = 20_000_000


@pytest.fixture
async def ends(nursery):
    """Our stream and the plain socket stream at its other end."""
    listener = (await trio.open_tcp_listeners(0, host="127.0.0.1"))[0]
    ours = await trio.open_tcp_stream("127.0.0.1", listener.socket.getsockname()[1])
    theirs = await listener.accept()
    await listener.aclose()
    async with ours, theirs:
        yield TcpStream(ours), theirs


async def drain(stream):
    received = 0
    while data := await stream.receive_some(1_000_000):
        received += len(data)
    return received


async def test_a_cancelled_write_is_finished_while_the_peer_takes_bytes(ends):
    ours, theirs = ends
    received = []

    async def count():
        received.append(await drain(theirs))

    async with trio.open_nursery() as nursery:
        with trio.CancelScope() as scope:
            scope.cancel()
            nursery.start_soon(count)
            await ours.write(bytes(MORE_THAN_THE_KERNEL_BUFFERS))
        await ours.close()
    assert received == [MORE_THAN_THE_KERNEL_BUFFERS]


async def test_a_cancelled_write_that_the_peer_does_not_take_ends_the_connection(ends):
    ours, _ = ends
    with trio.fail_after(ABANDONED_WRITE + 2), trio.CancelScope() as scope:
        scope.cancel()
        await ours.write(bytes(MORE_THAN_THE_KERNEL_BUFFERS))
    assert scope.cancelled_caught
    assert ours.closed.is_set()


async def test_a_slow_peer_that_nobody_cancels_is_waited_for(ends):
    ours, theirs = ends
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ours.write, bytes(MORE_THAN_THE_KERNEL_BUFFERS))
        await trio.sleep(2 * ABANDONED_WRITE)
        assert not ours.closed.is_set()
        received = 0
        while received < MORE_THAN_THE_KERNEL_BUFFERS:
            received += len(await theirs.receive_some(1_000_000))


async def test_writes_at_once_do_not_mix(ends):
    ours, theirs = ends
    size = 3_000_000
    received = bytearray()
    async with trio.open_nursery() as nursery:
        for letter in (b"a", b"b"):
            nursery.start_soon(ours.write, letter * size)
        while len(received) < 2 * size:
            received += await theirs.receive_some(1_000_000)
    assert received == b"a" * size + b"b" * size or received == b"b" * size + b"a" * size


async def test_a_read_allocates_no_more_than_its_limit_whatever_is_asked_for(ends):
    ours, theirs = ends
    async with trio.open_nursery() as nursery:
        nursery.start_soon(theirs.send_all, bytes(2 * READ_SIZE))
        received = 0
        while received < 2 * READ_SIZE:
            data = await ours.read(2**62)
            assert 0 < len(data) <= READ_SIZE
            received += len(data)
    assert await ours.read(0) == b""


async def test_the_peers_end_is_an_empty_read(ends):
    ours, theirs = ends
    await theirs.aclose()
    assert await ours.read() == b""


async def test_a_reader_is_woken_by_our_own_close(ends):
    ours, _ = ends
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ours.close)
        assert await ours.read() == b""


async def test_nothing_can_be_written_after_the_close(ends):
    ours, _ = ends
    closed = []
    ours.when_closed(lambda: closed.append("once"))
    await ours.close()
    await ours.close()
    assert closed == ["once"]
    with pytest.raises(ConnectionClosedError):
        await ours.write(b"late")


async def test_a_peers_reset_is_a_closed_connection(ends):
    ours, theirs = ends
    theirs.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes([1, 0, 0, 0, 0, 0, 0, 0]))
    await theirs.aclose()
    with pytest.raises(ConnectionClosedError):
        await ours.read()
    with pytest.raises(ConnectionClosedError):
        for _ in range(3):
            await ours.write(b"x")


async def test_a_peer_that_hung_up_is_known_before_what_it_sent_is_read(ends):
    ours, theirs = ends
    await theirs.send_all(b"x" * 100_000)
    assert not ours.has_hung_up
    await theirs.aclose()
    while not ours.has_hung_up:  # noqa: ASYNC110 -- the kernel brings it
        await trio.sleep(0.001)
    assert len(await ours.read()) == 100_000
    await ours.close()
    assert ours.has_hung_up
