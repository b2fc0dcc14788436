"""What strangers and buggy handlers do to a host, and that it lives and serves an honest peer afterwards."""

from __future__ import annotations

import secrets

import pytest
import trio
from echoing import ECHO, echo
from libp2p.network.stream.exceptions import StreamError
from libp2p.peer.id import ID

from peershelf.protocols.errors import DialFailed, NetworkError, ProtocolNotSupported, StreamReset
from peershelf.protocols.libp2p import HostLimits
from peershelf.protocols.libp2p.addresses import Multiaddr
from peershelf.protocols.libp2p.read_ahead import MAX_ANSWERS

MULTISTREAM = b"\x13/multistream/1.0.0\n"


@pytest.fixture
def victim(host):
    """`await victim(limits=…)` runs a host that serves ECHO."""

    async def start(**options):
        made = await host(**options)
        made.handle([ECHO], echo)
        return made

    return start


@pytest.fixture
def serves_honest_peers(host):
    """`await serves_honest_peers(victim)` fails unless a new host can connect to it and be served."""

    async def check(victim):
        honest = await host()
        with trio.fail_after(5):
            await honest.connect(victim.addresses()[0])
            stream = await honest.open_stream(victim.local_peer, [ECHO])
            await stream.send_all(b"hello")
            assert await stream.receive_some() == b"hello"
            await stream.aclose()

    return check


def port_of(host):
    return int(host.addresses()[0].split("/")[4])


@pytest.mark.parametrize(
    "error", [ValueError("bug"), ExceptionGroup("bugs", [KeyError("a")]), trio.TooSlowError(), EOFError()]
)
async def test_an_exception_in_a_handler_costs_its_stream_only(host, victim, serves_honest_peers, error):
    a, b = await host(), await victim()

    async def fail(stream):
        await stream.receive_some()
        raise error

    b.handle(["/test/bug"], fail)
    await a.connect(b.addresses()[0])
    stream = await a.open_stream(b.local_peer, ["/test/bug"])
    await stream.send_all(b"x")
    with trio.fail_after(2), pytest.raises(StreamReset):
        await stream.receive_some()
    (theirs,) = b._keeper.table
    assert not [one for one in theirs.streams if one.protocol == "/test/bug"]
    await serves_honest_peers(b)


async def test_an_exception_beside_a_cancellation_does_not_leave_the_host(make_host, host, nursery):
    async def fail_when_cancelled(stream):
        async with trio.open_nursery() as tasks:
            tasks.start_soon(trio.sleep_forever)
            try:
                await trio.sleep_forever()
            finally:
                raise ValueError("bug")

    a, b = await host(), make_host()
    b.handle(["/test/bug"], fail_when_cancelled)
    async with trio.open_nursery() as running:
        await running.start(b.run)
        await a.connect(b.addresses()[0])
        await a.open_stream(b.local_peer, ["/test/bug"])
        running.cancel_scope.cancel()
    assert b.peers() == []


@pytest.mark.parametrize(
    "line",
    [
        b"\x05\xff\xfe\xfd\xfc\n",
        b"\x00",
        b"\x01x",
        b"\xff" * 20,
        b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"\x80\x80\x80\x80\x08" + b"x" * 100_000,
    ],
    ids=["invalid UTF-8", "empty", "no newline", "overlong varint", "exabytes announced", "too much"],
)
@pytest.mark.parametrize("prefix", [b"", MULTISTREAM], ids=["first line", "second line"])
async def test_malformed_multistream_costs_its_stream_only(
    host, victim, serves_honest_peers, raw_stream, prefix, line
):
    a, b = await host(), await victim(limits=HostLimits(negotiate_timeout=0.3))
    await a.connect(b.addresses()[0])
    stream = await raw_stream(a, b.local_peer)
    await stream.write(prefix + line)
    with trio.fail_after(5), pytest.raises(StreamError):
        while await stream.read(65_536):
            pass
    assert b.peers() == [a.local_peer]
    await serves_honest_peers(b)


async def test_a_line_that_does_not_end_is_cut_off_by_its_size_and_not_by_the_clock(host, victim, raw_stream):
    a, b = await host(), await victim(limits=HostLimits(negotiate_timeout=60))
    await a.connect(b.addresses()[0])
    stream = await raw_stream(a, b.local_peer)
    with trio.fail_after(5), pytest.raises(StreamError):
        await stream.write(MULTISTREAM + b"\x80\x80\x80\x80\x08" + bytes(200_000))
        while await stream.read(65_536):
            pass


@pytest.mark.parametrize("line", [b"\x01\n", b"\x07/nope/\n", b"\x03ls\n"], ids=["empty", "unknown", "ls"])
async def test_endless_proposals_are_cut_off_by_their_number(host, victim, raw_stream, line):
    a, b = await host(), await victim()
    await a.connect(b.addresses()[0])
    stream = await raw_stream(a, b.local_peer)
    answers = b""
    await stream.write(MULTISTREAM + line * 2_000)
    with trio.fail_after(5), pytest.raises(StreamError):
        while True:
            answers += await stream.read(65_536)
    assert answers.count(b"na\n") <= MAX_ANSWERS


async def test_a_stream_that_never_negotiates_is_reset(host, victim, raw_stream, eventually):
    a, b = await host(), await victim(limits=HostLimits(negotiate_timeout=0.3))
    await a.connect(b.addresses()[0])
    await raw_stream(a, b.local_peer)
    (connection,) = b._keeper.table
    await eventually(lambda: connection.stream_count > 0)
    await eventually(lambda: connection.stream_count == 0)
    assert b.peers() == [a.local_peer]


@pytest.mark.parametrize(
    "garbage",
    [
        secrets.token_bytes(100_000),
        MULTISTREAM + b"\x07/noise\n" + secrets.token_bytes(100_000),
        MULTISTREAM + b"\x0b/tls/1.0.0\n" + secrets.token_bytes(100_000),
        MULTISTREAM + b"\x05\xff\xfe\xfd\xfc\n",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f" + bytes(1_000_000),
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"",
    ],
    ids=["random", "noise", "tls", "invalid UTF-8", "exabytes announced", "http", "nothing"],
)
async def test_garbage_after_connect_ends_that_connection_only(victim, serves_honest_peers, garbage):
    b = await victim(limits=HostLimits(upgrade_timeout=0.3))
    with trio.fail_after(5):
        stream = await trio.open_tcp_stream("127.0.0.1", port_of(b))
        async with stream:
            try:
                await stream.send_all(garbage)
                while await stream.receive_some():
                    pass
            except trio.BrokenResourceError:
                pass
    assert b.peers() == []
    await serves_honest_peers(b)


async def test_garbage_inside_the_secure_channel_ends_that_connection_only(
    host, victim, serves_honest_peers, eventually
):
    a, b = await host(), await victim()
    for size in (12, 100, 70_000):
        await a.connect(b.addresses()[0])
        (ours,) = a._keeper.table
        await ours.inner.muxed_conn.secured_conn.write(secrets.token_bytes(size))
        await a.disconnect(b.local_peer)
        await eventually(lambda: b.peers() == [])
    await serves_honest_peers(b)


async def test_300_connections_one_after_another_use_nothing_up(
    host, victim, serves_honest_peers, eventually
):
    a, b = await host(), await victim()
    before = trio.lowlevel.current_statistics().tasks_living
    with trio.fail_after(60):
        for _ in range(300):
            await a.connect(b.addresses()[0])
            await a.disconnect(b.local_peer)
    await eventually(lambda: b.peers() == [])
    await eventually(lambda: trio.lowlevel.current_statistics().tasks_living == before)
    await serves_honest_peers(b)


async def test_idle_half_open_sockets_do_not_keep_honest_peers_out(victim, serves_honest_peers):
    b = await victim()
    sockets = [await trio.open_tcp_stream("127.0.0.1", port_of(b)) for _ in range(400)]
    await trio.testing.wait_all_tasks_blocked()
    assert len(b._transport.inbound.half_open) <= HostLimits().half_open_per_address
    await serves_honest_peers(b)
    for socket in sockets:
        await socket.aclose()


async def test_a_host_dials_nobody_on_its_own(host, eventually):
    a, b, c = await host(), await host(), await host()
    swarm = a._swarm
    swarm.peerstore.add_addrs(ID.from_base58(c.local_peer), [Multiaddr(c.addresses()[0])], 120)
    await a.connect(b.addresses()[0])
    await a.disconnect(b.local_peer)
    await eventually(lambda: not swarm.connections)
    await swarm.auto_connector.maybe_connect()
    assert c.peers() == []


async def test_no_more_connections_than_allowed_are_kept(host, victim):
    limits = HostLimits(low_water=1, high_water=2, headroom=2, outbound_reserve=0)
    b = await victim(limits=limits)
    others = [await host() for _ in range(8)]
    refused = 0
    for other in others:
        try:
            await other.connect(b.addresses()[0])
        except DialFailed:
            refused += 1
    assert refused == len(others) - limits.max_connections
    assert len(b.connections()) == limits.max_connections


async def test_idle_connections_above_the_high_water_mark_are_closed(host, victim, eventually):
    b = await victim(limits=HostLimits(low_water=1, high_water=3, grace=0))
    others = [await host() for _ in range(4)]
    for other in others:
        # Those that are there already have told each other who they are, and are used no more.
        await eventually(lambda: all(one.agent for one in b.connections()))
        await other.connect(b.addresses()[0])
    await eventually(lambda: len(b.connections()) == 1)
    assert b.peers() == [others[-1].local_peer]


async def test_a_peer_has_only_so_many_streams_at_a_time(host, victim):
    a, b = await host(), await victim(limits=HostLimits(streams_per_connection=5))
    await a.connect(b.addresses()[0])
    held = []
    with pytest.raises(NetworkError) as refused:
        for _ in range(10):
            held.append(await a.open_stream(b.local_peer, [ECHO]))
    assert isinstance(refused.value, StreamReset | ProtocolNotSupported)
    assert 3 <= len(held) <= 5
    for stream in held:
        await stream.aclose()


async def test_streams_beyond_the_bound_do_not_get_as_far_as_a_task(host, victim, raw_stream, monkeypatch):
    a, b = await host(), await victim(limits=HostLimits(streams_per_connection=5))
    handled = []
    inner = b._swarm.common_stream_handler

    async def watched(stream) -> None:
        handled.append(stream)
        await inner(stream)

    b._swarm.set_stream_handler(watched)
    await a.connect(b.addresses()[0])
    flood = [await raw_stream(a, b.local_peer) for _ in range(100)]
    with trio.fail_after(5), pytest.raises(StreamError):
        await flood[-1].read(1)
    assert len(handled) <= 10
