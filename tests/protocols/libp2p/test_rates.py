"""Shaping and counting between hosts on real sockets.

Too fast is always a failure. Too slow is one only by more than a busy machine may cause.
"""

from __future__ import annotations

import socket

import pytest
import trio

from peershelf.protocols.errors import StreamStalled
from peershelf.protocols.libp2p import HostLimits
from peershelf.protocols.traffic import Rates

SOURCE, SINK, ECHO = "/test/source", "/test/sink", "/test/echo"
RATE = 2_000_000
SECONDS = 2.0
EDGE = 262_144
"""Bytes under way, in buffers of this program, when a measurement begins or ends."""
BUSY = 0.8
"""Share of the rate that is reached even on a busy machine."""


async def give(stream):
    while True:
        await stream.send_all(bytes(1_000_000))


async def swallow(stream):
    while await stream.receive_some():
        pass


async def ignore(stream):
    await trio.sleep_forever()


async def echo(stream):
    while data := await stream.receive_some():
        await stream.send_all(data)


@pytest.fixture
def star(host):
    """`await star(rates, n)`: a host held to `rates`, and n others connected to it that serve all three."""

    async def make(rates, others=1, **options):
        limited = await host(rates=rates, **options)
        peers = [await host() for _ in range(others)]
        for peer in peers:
            for protocol, handler in ((SOURCE, give), (SINK, swallow), (ECHO, echo)):
                peer.handle([protocol], handler)
            await limited.connect(peer.addresses()[0])
        return limited, peers

    return make


async def upload(limited, peers):
    async with trio.open_nursery() as nursery:
        for peer in peers:
            nursery.start_soon(give, await limited.open_stream(peer.local_peer, [SINK]))


async def download(limited, peers):
    async with trio.open_nursery() as nursery:
        for peer in peers:
            stream = await limited.open_stream(peer.local_peer, [SOURCE])
            await stream.send_all(b"?")
            nursery.start_soon(swallow, stream)


async def measure(limited, peers, move, direction):
    """Bytes that each peer was sent, or sent us, in SECONDS of a transfer under way, and how long it took."""

    def counts():
        known = limited.traffic.by_peer()
        return [getattr(known[peer.local_peer], f"total_{direction}") for peer in peers]

    async with trio.open_nursery() as nursery:
        nursery.start_soon(move, limited, peers)
        await trio.sleep(0.3)
        start, before = trio.current_time(), counts()
        await trio.sleep(SECONDS)
        moved = [after - earlier for after, earlier in zip(counts(), before, strict=True)]
        took = trio.current_time() - start
        nursery.cancel_scope.cancel()
    return moved, took


@pytest.mark.parametrize(("move", "direction"), [(upload, "out"), (download, "in")])
async def test_all_peers_together_keep_to_the_rate_and_share_it(star, move, direction):
    limited, peers = await star(Rates(upload=RATE, download=RATE, limit_local=True), 3)
    moved, took = await measure(limited, peers, move, direction)
    assert BUSY * RATE * took <= sum(moved) <= 1.05 * RATE * took
    assert moved == [pytest.approx(sum(moved) / 3, rel=0.15)] * 3


@pytest.mark.parametrize(("move", "direction"), [(upload, "out"), (download, "in")])
async def test_each_peer_keeps_to_its_rate(star, move, direction):
    rates = Rates(peer_upload=RATE // 2, peer_download=RATE // 2, limit_local=True)
    limited, peers = await star(rates, 3)
    moved, took = await measure(limited, peers, move, direction)
    for size in moved:
        assert BUSY * RATE / 2 * took <= size <= 1.05 * RATE / 2 * took


async def test_the_other_end_sees_the_same_rate(star):
    limited, (peer,) = await star(Rates(upload=RATE, limit_local=True))
    (moved,), took = await measure(limited, [peer], upload, "out")
    received = peer.traffic.total().total_in
    assert received <= 1.05 * RATE * (took + 0.35) + EDGE
    assert received >= moved


async def test_local_peers_are_not_limited_by_default(star):
    limited, (peer,) = await star(Rates(upload=1_000, download=1_000))
    stream = await limited.open_stream(peer.local_peer, [ECHO])
    with trio.fail_after(10):
        await stream.send_all(bytes(200_000))
        await stream.receive_some()
    await stream.reset()


async def test_a_ping_does_not_wait_behind_bulk(star):
    limited, (peer,) = await star(Rates(upload=20_000, limit_local=True))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(upload, limited, [peer])
        await trio.sleep(0.2)
        # Sixteen kilobytes of bulk would take most of a second.
        assert await limited.ping(peer.local_peer) < 0.5
        nursery.cancel_scope.cancel()


async def test_who_waits_for_the_own_rate_is_not_stalled_by_the_peer(star):
    limited, (peer,) = await star(
        Rates(upload=20_000, limit_local=True), limits=HostLimits(stalled_write=0.03)
    )
    stream = await limited.open_stream(peer.local_peer, [SINK])
    await stream.send_all(bytes(20_000), patience=0.03)
    await stream.aclose()


async def test_a_peer_that_does_not_read_is_noticed_for_all_the_rate(star):
    limited, (peer,) = await star(Rates(upload=100_000_000, limit_local=True))
    peer.handle(["/test/deaf"], ignore)
    stream = await limited.open_stream(peer.local_peer, ["/test/deaf"])
    with trio.fail_after(10), pytest.raises(StreamStalled, match=r"took nothing for 0\.2 s"):
        await stream.send_all(bytes(20_000_000), patience=0.2)


async def test_a_cancelled_read_has_taken_nothing_also_while_it_waits_for_its_turn(star):
    limited, (peer,) = await star(Rates(download=100_000, limit_local=True))
    stream = await limited.open_stream(peer.local_peer, [ECHO])
    data, received = bytes(range(256)) * 200, b""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stream.send_all, data)
        with trio.fail_after(20):
            while len(received) < len(data):
                with trio.move_on_after(0.004):
                    received += await stream.receive_some()
    assert received == data
    await stream.aclose()


async def test_both_ends_count_the_same_bytes(star):
    limited, (peer,) = await star(None)
    stream = await limited.open_stream(peer.local_peer, [ECHO])
    size = 0
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stream.send_all, bytes(1_000_000))
        while size < 1_000_000:
            size += len(await stream.receive_some())
    await stream.aclose()
    for one, other in ((limited, peer), (peer, limited)):
        usage = one.traffic.by_protocol()[ECHO]
        assert (usage.total_in, usage.total_out) == (1_000_000, 1_000_000)
        assert one.traffic.by_peer()[other.local_peer].total_in >= 1_000_000


@pytest.mark.skipif(not hasattr(socket, "IP_TOS"), reason="this system marks no packets")
@pytest.mark.parametrize(("low", "mark"), [(True, 4), (False, 0)])
async def test_packets_are_marked_if_they_shall_yield(star, low, mark):
    limited, (peer,) = await star(Rates(low_priority=low))
    await limited.ping(peer.local_peer)
    (stream,) = limited._transport._streams
    assert stream._stream.socket.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) == mark
