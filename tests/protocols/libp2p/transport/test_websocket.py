"""WebSocket as a stream of bytes: what comes through, and what a stranger can do to it."""

from __future__ import annotations

import random
import struct

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from libp2p.io.exceptions import ConnectionClosedError

from peershelf.protocols.libp2p.transport import websocket
from peershelf.protocols.libp2p.transport.stream import TcpStream
from peershelf.protocols.libp2p.transport.websocket import NotWebSocket, WebSocketEndpoint, frame_debts

UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
BINARY, TEXT, CLOSE, PING, PONG = 2, 1, 8, 9, 10


def frame(payload, opcode=BINARY, *, fin=True, masked=True, announced=None):
    """A frame as a client sends it; the masking key is 0, so that the payload stays legible."""
    length = len(payload) if announced is None else announced
    head = bytes([(fin << 7) | opcode])
    bit = masked << 7
    if length < 126:
        head += bytes([bit | length])
    elif length < 65_536:
        head += bytes([bit | 126]) + struct.pack("!H", length)
    else:
        head += bytes([bit | 127]) + struct.pack("!Q", length)
    return head + bytes(4) * masked + payload


async def tcp_pair():
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    ours = await trio.open_tcp_stream("127.0.0.1", listener.socket.getsockname()[1])
    theirs = await listener.accept()
    await listener.aclose()
    return ours, theirs


@pytest.fixture
async def pair():
    """Both ends of one WebSocket connection."""
    ours, theirs = await tcp_pair()
    made = {}

    async def agree(side, tcp, how):
        made[side] = await how(TcpStream(tcp), frame_debts())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(agree, "dialer", ours, websocket.offer)
        nursery.start_soon(agree, "listener", theirs, websocket.accept)
    yield made["dialer"], made["listener"]
    for stream in made.values():
        await stream.close()


@pytest.fixture
async def raw():
    """Our listener's end, and the plain socket of a client that has been let in."""
    ours, theirs = await tcp_pair()
    await theirs.send_all(UPGRADE)
    stream = await websocket.accept(TcpStream(ours), frame_debts())
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += await theirs.receive_some(1)
    assert answer.startswith(b"HTTP/1.1 101 ")
    yield stream, theirs
    await stream.close()
    await theirs.aclose()


async def read_exactly(stream, size):
    data = b""
    while len(data) < size:
        piece = await stream.read(size - len(data))
        assert piece
        data += piece
    return data


@pytest.mark.parametrize("size", [1, 125, 126, 65_535, 65_536, 65_537, 1_000_000])
async def test_bytes_of_any_number_come_through_both_ways(pair, size):
    for here, there in (pair, pair[::-1]):
        data = random.Random(size).randbytes(size)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(here.write, data)
            assert await read_exactly(there, size) == data


async def test_writers_at_the_same_time_do_not_mix_their_frames(pair):
    here, there = pair
    async with trio.open_nursery() as nursery:
        for letter in b"abcd":
            nursery.start_soon(here.write, bytes([letter]) * 300_000)
        received = await read_exactly(there, 1_200_000)
    assert sorted(received) == sorted(b"abcd" * 300_000)
    assert len({received[start] for start in range(0, 1_200_000, 300_000)}) == 4


async def test_a_read_takes_no_more_than_asked_for_and_loses_nothing(pair):
    here, there = pair
    await here.write(b"abcdef")
    assert await there.read(0) == b""
    assert await there.read(2) == b"ab"
    assert await there.read() == b"cdef"


async def test_a_read_that_is_cancelled_loses_nothing(pair):
    here, there = pair
    with trio.move_on_after(0.01):
        await there.read(1)
    await here.write(b"x")
    assert await there.read(1) == b"x"


async def test_the_end_is_read_as_the_end_and_writing_after_it_fails(pair):
    here, there = pair
    await here.close()
    assert await there.read(1) == b""
    with pytest.raises(ConnectionClosedError):
        await here.write(b"x")


async def test_both_sides_know_that_it_is_websocket(pair):
    for stream in pair:
        assert isinstance(stream.get_remote_address(), WebSocketEndpoint)


async def test_messages_in_pieces_are_one_stream(raw):
    ours, theirs = raw
    await theirs.send_all(frame(b"ab", fin=False) + frame(b"cd", 0, fin=False) + frame(b"", 0) + frame(b"ef"))
    assert await read_exactly(ours, 6) == b"abcdef"


async def test_a_message_is_read_before_it_has_ended(raw):
    ours, theirs = raw
    await theirs.send_all(frame(b"begins", announced=2**40))
    assert await read_exactly(ours, 6) == b"begins"


async def test_a_ping_is_answered(raw):
    ours, theirs = raw
    await theirs.send_all(frame(b"hello", PING) + frame(b"x"))
    assert await read_exactly(ours, 1) == b"x"
    assert await theirs.receive_some() == bytes([0x80 | PONG, 5]) + b"hello"


async def test_a_farewell_is_answered_and_is_the_end(raw):
    ours, theirs = raw
    await theirs.send_all(frame(b"last", BINARY) + frame(struct.pack("!H", 1000), CLOSE))
    assert await read_exactly(ours, 4) == b"last"
    assert await ours.read(1) == b""
    assert (await theirs.receive_some())[0] == 0x80 | CLOSE


@pytest.mark.parametrize(
    "junk",
    [
        frame(b"text", TEXT),
        frame(b"x", masked=False),
        frame(b"x", 3),
        frame(b"x", 0),
        frame(b"x" * 126, PING),
    ],
    ids=["text", "unmasked", "unknown opcode", "continuation of nothing", "long ping"],
)
async def test_what_is_no_frame_of_bytes_ends_the_connection(raw, junk):
    ours, theirs = raw
    await theirs.send_all(junk)
    with trio.fail_after(2), pytest.raises(ConnectionClosedError):
        await ours.read(1)
    assert await theirs.receive_some() == b""


async def test_a_flood_of_tiny_frames_lets_others_run(raw, nursery):
    ours, theirs = raw
    turns = []

    async def others():
        while True:
            turns.append(None)
            await trio.lowlevel.checkpoint()

    count = 4_000
    await theirs.send_all(frame(b"", PONG) * count + frame(b"x"))
    nursery.start_soon(others)
    assert await read_exactly(ours, 1) == b"x"
    assert len(turns) >= count / websocket.FRAMES_AT_A_TIME


@pytest.mark.parametrize(
    "greeting",
    [
        b"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
        b"\x13/multistream/1.0.0\n",
        bytes(100),
        b"GET / HTTP/1.1\r\nA: " + b"a" * 100_000,
    ],
    ids=["plain HTTP", "multistream", "zeros", "endless header"],
)
async def test_who_does_not_ask_for_websocket_is_not_let_in(greeting):
    ours, theirs = await tcp_pair()
    async with ours, theirs:
        await theirs.send_all(greeting)
        with trio.fail_after(2), pytest.raises(NotWebSocket):
            await websocket.accept(TcpStream(ours), frame_debts())


@given(st.binary(max_size=300), st.integers(0, 3))
async def test_no_bytes_do_more_than_end_the_connection(junk, cut):
    ours, theirs = await tcp_pair()
    async with ours, theirs:
        await theirs.send_all(UPGRADE + frame(b"ok") + junk)
        await theirs.send_eof()
        try:
            stream = await websocket.accept(TcpStream(ours), frame_debts())
            with trio.fail_after(5):
                while await stream.read(1 + cut):
                    pass
        except ConnectionClosedError:
            pass
