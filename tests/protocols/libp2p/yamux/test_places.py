"""Streams of all connections of a host, which are bounded together."""

from __future__ import annotations

import trio
from libp2p.peer.id import ID
from libp2p.stream_muxer.exceptions import MuxedStreamReset

from peershelf.protocols.libp2p.yamux.driver import YamuxConnection
from peershelf.protocols.libp2p.yamux.limits import YamuxLimits
from peershelf.protocols.libp2p.yamux.places import StreamPlaces
from peershelf.protocols.libp2p.yamux.shared import Shared

PEER = ID(b"somebody")


def taken(places: StreamPlaces, count: int, has: int = 0) -> int:
    """How many of `count` places a connection gets that has so many."""
    got = 0
    while got < count and places.take(has + got):
        got += 1
    return got


def test_one_connection_may_have_them_all():
    places = StreamPlaces(50)
    assert taken(places, 100) == 50
    for _ in range(3):
        places.release()
    assert taken(places, 10, has=47) == 3


def test_nobody_is_shut_out():
    places = StreamPlaces(50)
    taken(places, 50)
    assert [taken(places, 100) for _ in range(3)] == [16] * 3


async def test_streams_beyond_are_reset_and_places_come_back(connected, autojump_clock):
    shared = Shared(YamuxLimits(inbound_streams_in_all=20))

    async def opened(connection: YamuxConnection, count: int) -> list[bool]:
        """Open streams; say of each whether the other side let it in."""
        streams = [await connection.open_stream() for _ in range(count)]
        await trio.sleep(1)
        return [await is_open(stream) for stream in streams]

    async def is_open(stream) -> bool:
        try:
            with trio.move_on_after(0.1):
                await stream.read(1)
        except MuxedStreamReset:
            return False
        return True

    (greedy, victim), (late, _) = await connected(shared), await connected(shared)
    assert await opened(greedy, 22) == [True] * 20 + [False] * 2
    assert await opened(late, 18) == [True] * 16 + [False] * 2
    assert victim.load.inbound == 20
    await greedy.close()
    await trio.sleep(1)
    assert await opened(late, 6) == [True] * 4 + [False] * 2, "there are 20 again"
