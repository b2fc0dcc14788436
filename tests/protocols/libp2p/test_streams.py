"""Streams: protocols, bytes, ends, resets and writers that have to wait."""

from __future__ import annotations

import secrets

import pytest
import trio
from echoing import ECHO, echo, echoed

from peershelf.protocols.errors import PeerNotConnected, ProtocolNotSupported, StreamClosed, StreamReset
from peershelf.protocols.libp2p import HostLimits

MORE_THAN_A_WINDOW = 20_000_000
STOCK_PATIENCE = 5
"""Seconds after which py-libp2p's own Yamux fails a writer that gets no credit."""


async def ignore(stream):
    await trio.sleep_forever()


async def receive_all(stream):
    received = b""
    while data := await stream.receive_some():
        received += data
    return received


@pytest.fixture
def pair(host):
    """`await pair(handler, …)` gives two connected hosts, the second of which serves ECHO with `handler`."""

    async def connect(handler=echo, **options):
        a, b = await host(**options), await host()
        b.handle([ECHO], handler)
        await a.connect(b.addresses()[0])
        return a, b

    return connect


@pytest.mark.parametrize("security", ["noise", "tls"])
async def test_megabytes_go_both_ways_at_once(pair, security):
    a, b = await pair(security=[security])
    stream = await a.open_stream(b.local_peer, [ECHO])
    data = secrets.token_bytes(5_000_000)
    assert await echoed(stream, data) == data


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
async def test_any_buffer_can_be_sent(pair, kind):
    a, b = await pair()
    stream = await a.open_stream(b.local_peer, [ECHO])
    await stream.send_all(kind(b"abc"))
    assert await stream.receive_some() == b"abc"
    await stream.aclose()


@pytest.mark.parametrize(
    ("data", "is_copied"),
    [
        (bytes(100), False),
        (memoryview(bytes(100))[10:], False),
        (bytearray(100), True),
        (memoryview(bytearray(100)).toreadonly(), True),
    ],
)
async def test_only_what_could_change_meanwhile_is_copied(pair, monkeypatch, data, is_copied):
    a, b = await pair()
    stream, written = await a.open_stream(b.local_peer, [ECHO]), []

    async def write_some(view):
        written.append(view)
        return len(view)

    monkeypatch.setattr(stream._muxed, "write_some", write_some)
    await stream.send_all(data)
    (view,) = written
    assert view == data
    assert isinstance(view.obj, bytes)
    assert (view.obj is not getattr(data, "obj", data)) == is_copied
    await stream.reset()


async def test_no_more_than_asked_for_is_received(pair):
    a, b = await pair()
    stream = await a.open_stream(b.local_peer, [ECHO])
    await stream.send_all(b"abcdef")
    assert await stream.receive_some(2) == b"ab"
    assert await stream.receive_some() == b"cdef"
    await stream.aclose()


async def test_the_first_protocol_that_the_peer_speaks_is_taken(pair):
    a, b = await pair()
    b.handle(["/test/other"], echo)
    stream = await a.open_stream(b.local_peer, ["/test/unknown", ECHO, "/test/other"])
    assert (stream.protocol, stream.peer) == (ECHO, b.local_peer)
    await stream.aclose()


async def test_a_protocol_that_the_peer_does_not_speak_is_named(pair):
    a, b = await pair()
    with pytest.raises(ProtocolNotSupported, match="/test/unknown"):
        await a.open_stream(b.local_peer, ["/test/unknown"])
    assert b.peers() == [a.local_peer]


async def test_without_a_connection_there_is_no_stream_and_no_dial(host):
    a, b = await host(), await host()
    with pytest.raises(PeerNotConnected):
        await a.open_stream(b.local_peer, [ECHO])
    assert b.peers() == []


async def test_what_was_sent_before_closing_arrives_and_then_the_end(pair):
    done, received = trio.Event(), []

    async def collect(stream):
        received.append(await receive_all(stream))
        done.set()

    a, b = await pair(collect)
    stream = await a.open_stream(b.local_peer, [ECHO])
    await stream.send_all(b"x" * 100_000)
    await stream.aclose()
    await done.wait()
    assert received == [b"x" * 100_000]


async def test_after_closing_nothing_can_be_sent(pair):
    a, b = await pair()
    stream = await a.open_stream(b.local_peer, [ECHO])
    await stream.aclose()
    await stream.aclose()
    with pytest.raises(StreamClosed):
        await stream.send_all(b"late")


async def test_a_reset_reaches_the_other_side_as_a_reset(pair):
    seen = trio.Event()

    async def wait_for_reset(stream):
        with pytest.raises(StreamReset):
            await stream.receive_some()
        seen.set()

    a, b = await pair(wait_for_reset)
    stream = await a.open_stream(b.local_peer, [ECHO])
    await stream.reset()
    with trio.fail_after(2):
        await seen.wait()


async def test_a_lost_connection_is_a_reset_and_no_clean_end(pair):
    a, b = await pair()
    stream = await a.open_stream(b.local_peer, [ECHO])
    await b.disconnect(a.local_peer)
    with trio.fail_after(2), pytest.raises(StreamReset):
        await stream.receive_some()
    with pytest.raises(StreamReset):
        await stream.send_all(b"anyone?")
    await stream.reset()


async def test_our_own_disconnect_is_a_reset_to_our_readers(pair):
    a, b = await pair()
    stream = await a.open_stream(b.local_peer, [ECHO])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(a.disconnect, b.local_peer)
        with trio.fail_after(2), pytest.raises(StreamReset):
            await stream.receive_some()
    await stream.reset()


async def test_a_writer_waits_for_a_reader_that_pauses_longer_than_the_stock_muxer_allows(pair):
    resume, done, received = trio.Event(), trio.Event(), []

    async def read_late(stream):
        await resume.wait()
        received.append(await receive_all(stream))
        done.set()

    a, b = await pair(read_late)
    stream = await a.open_stream(b.local_peer, [ECHO])
    data = secrets.token_bytes(MORE_THAN_A_WINDOW)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stream.send_all, data)
        await trio.sleep(STOCK_PATIENCE + 0.5)
        assert len(nursery.child_tasks) == 1
        resume.set()
    await stream.aclose()
    await done.wait()
    assert received == [data]


async def test_a_writer_does_not_wait_for_ever(pair):
    a, b = await pair(ignore, limits=HostLimits(stalled_write=0.2))
    stream = await a.open_stream(b.local_peer, [ECHO])
    with trio.fail_after(3), pytest.raises(StreamReset, match="took nothing"):
        await stream.send_all(bytes(MORE_THAN_A_WINDOW))


async def test_a_cancelled_write_leaves_the_connection_usable(pair):
    a, b = await pair(ignore)
    b.handle(["/test/second"], echo)
    stream = await a.open_stream(b.local_peer, [ECHO])
    for seconds in (0.001, 0.005, 0.02, 0.1):
        with trio.move_on_after(seconds):
            await stream.send_all(bytes(MORE_THAN_A_WINDOW))
    await stream.reset()
    second = await a.open_stream(b.local_peer, ["/test/second"])
    await second.send_all(b"still here")
    assert await second.receive_some() == b"still here"
    await second.aclose()


async def test_what_a_handler_sent_before_it_just_returned_arrives_with_a_clean_end(pair):
    async def send_and_return(stream):
        await stream.receive_some()
        await stream.send_all(b"x" * 100_000)

    a, b = await pair(send_and_return)
    stream = await a.open_stream(b.local_peer, [ECHO])
    await stream.send_all(b"?")
    assert await receive_all(stream) == b"x" * 100_000
    await stream.aclose()


async def test_a_handler_that_just_returns_leaves_no_stream_behind(pair, eventually):
    async def look_once(stream):
        await stream.receive_some()

    a, b = await pair(look_once)
    (ours,), (theirs,) = a._keeper.table, b._keeper.table
    for _ in range(50):
        stream = await a.open_stream(b.local_peer, [ECHO])
        await stream.send_all(b"x")
        await stream.aclose()
    await eventually(lambda: ours.stream_count == theirs.stream_count == 0)
    await eventually(lambda: not ours.inner.muxed_conn.streams and not theirs.inner.muxed_conn.streams)


async def test_a_stream_whose_peer_never_closes_is_reset_after_a_while(pair, eventually):
    a, b = await pair(ignore, limits=HostLimits(linger=0.2))
    (ours,), (theirs,) = a._keeper.table, b._keeper.table
    await eventually(lambda: ours.identity and theirs.identity and not ours.stream_count)
    stream = await a.open_stream(b.local_peer, [ECHO])
    await stream.aclose()
    assert ours.stream_count == 1
    await eventually(lambda: ours.stream_count == 0)


async def test_a_handler_that_never_looks_at_its_stream_ends_with_the_connection(pair):
    cancelled = trio.Event()

    async def wait_for_cancellation(stream):
        try:
            await trio.sleep_forever()
        finally:
            cancelled.set()

    a, b = await pair(wait_for_cancellation)
    await a.open_stream(b.local_peer, [ECHO])
    await a.disconnect(b.local_peer)
    with trio.fail_after(2):
        await cancelled.wait()


async def test_open_streams_are_listed_by_protocol(pair):
    a, b = await pair()
    streams = [await a.open_stream(b.local_peer, [ECHO]) for _ in range(2)]
    await a.ping(b.local_peer)
    assert [one for one in a.connections()[0].streams if one == ECHO] == [ECHO, ECHO]
    for stream in streams:
        await stream.aclose()
