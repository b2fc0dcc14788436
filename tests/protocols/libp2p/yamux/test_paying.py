"""A connection rests for the work that its peer makes; CPU time is what the tests say."""

from __future__ import annotations

import pytest
import trio
from libp2p.peer.id import ID

from peershelf.protocols.libp2p.yamux.driver import YamuxConnection
from peershelf.protocols.libp2p.yamux.frames import Flag, Kind
from peershelf.protocols.libp2p.yamux.limits import YamuxLimits

LIMITS = YamuxLimits(toll_share=0.1, toll_ahead=0.05)
PEER = ID(b"somebody")


class Processor:
    """Every look at it takes `each` seconds of its time."""

    def __init__(self, each: float = 0.0) -> None:
        self.each = each
        self.used = 0.0

    def __call__(self) -> float:
        self.used += self.each
        return self.used


@pytest.fixture
async def ends(secured_pair, nursery):
    """`await ends(processor)` returns a connection that pays by its time, and the secured one opposite."""

    async def make(processor):
        theirs, ours = secured_pair()
        connection = YamuxConnection(ours, PEER, LIMITS, cpu=processor)
        nursery.start_soon(connection.start)
        await connection.event_started.wait()
        return connection, theirs

    return make


async def test_the_next_stream_waits_until_the_one_before_is_paid(ends, frame, autojump_clock):
    processor = Processor()
    connection, peer = await ends(processor)

    async def work():
        processor.used += 1

    await peer.write(frame(Kind.WINDOW_UPDATE, Flag.SYN, 1) + frame(Kind.WINDOW_UPDATE, Flag.SYN, 3))
    await connection.accept_stream()
    await connection.metered(work())
    started = trio.current_time()
    assert (await connection.accept_stream()).stream_id == 3
    assert trio.current_time() - started == pytest.approx(10 - 0.5)


async def test_who_rests_does_not_outlast_the_connection(ends, autojump_clock):
    processor = Processor()
    connection, peer = await ends(processor)

    async def work():
        processor.used += 1_000

    await connection.metered(work())
    started = trio.current_time()
    await peer.close()
    await connection.rest()
    assert trio.current_time() - started < 1


async def test_a_flood_of_frames_without_data_is_read_slowly(ends, frame, frames_in, autojump_clock):
    _, peer = await ends(Processor(each=0.01))
    started = trio.current_time()
    ping = frame(Kind.PING, Flag.SYN, 0, 77)
    await peer.write(frame(Kind.DATA, 0, 1) * 50 * 256 + ping)
    answered = False
    while not answered:
        found = frames_in(await peer.read())
        answered = any(header.kind == Kind.PING and header.length == 77 for header, _ in found)
    assert trio.current_time() - started > 3


async def test_a_few_frames_are_free(ends, frame, autojump_clock):
    connection, peer = await ends(Processor(each=1.0))
    started = trio.current_time()
    await peer.write(frame(Kind.WINDOW_UPDATE, Flag.SYN, 1))
    await connection.accept_stream()
    assert trio.current_time() == started


async def test_a_peer_that_hung_up_is_not_rested_for(ends, frame, autojump_clock):
    connection, peer = await ends(Processor(each=0.2))
    await peer.write(frame(Kind.PING, Flag.ACK, 0, 7) * 100_000)
    await trio.sleep(5)
    assert not connection.is_closed
    connection.secured_conn.has_hung_up = True
    await trio.sleep(5)
    assert connection.is_closed
