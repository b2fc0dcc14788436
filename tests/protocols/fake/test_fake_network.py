"""The fake network keeps the promises of transport.Network, under virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from peershelf.protocols.errors import PeerNotConnected, ProtocolNotSupported, StreamClosed, StreamReset
from peershelf.protocols.fake import FakeInternet, FakeNetwork

ECHO = "/echo/1"


@pytest.fixture
async def internet() -> AsyncIterator[FakeInternet]:
    async with FakeInternet().running() as running:
        yield running


async def echo(stream):
    while data := await stream.receive_some():
        await stream.send_all(data)
    await stream.aclose()


async def read_all(stream) -> bytes:
    return b"".join([data async for data in pieces(stream)])


async def pieces(stream):
    while data := await stream.receive_some():
        yield data


def pair(internet: FakeInternet, latency: float = 0.01, **rates) -> tuple[FakeNetwork, FakeNetwork]:
    one, other = internet.node("one", **rates), internet.node("other")
    other.handle([ECHO], echo)
    internet.connect(one, other, latency=latency)
    return one, other


async def test_bytes_go_there_and_come_back(internet, autojump_clock):
    one, other = pair(internet)
    stream = await one.open_stream(other.local_peer, [ECHO])
    await stream.send_all(b"hello")
    await stream.aclose()
    assert await read_all(stream) == b"hello"
    assert stream.peer == other.local_peer
    assert stream.protocol == ECHO


async def test_latency_takes_virtual_time(internet, autojump_clock):
    one, other = pair(internet, latency=0.5)
    stream = await one.open_stream(other.local_peer, [ECHO])
    start = trio.current_time()
    await stream.send_all(b"hello")
    await stream.receive_some()
    assert trio.current_time() - start == pytest.approx(1.0)


async def test_a_nodes_streams_share_its_upload_rate(internet, autojump_clock):
    one, other = pair(internet, latency=0, upload=100_000)
    start = trio.current_time()
    async with trio.open_nursery() as nursery:
        for _ in range(2):
            stream = await one.open_stream(other.local_peer, [ECHO])
            nursery.start_soon(stream.send_all, bytes(100_000))
    assert trio.current_time() - start == pytest.approx(2.0, rel=0.01)


async def test_a_sender_waits_for_a_reader_that_does_not_read(internet, autojump_clock):
    one, other = internet.node("one"), internet.node("other")

    async def ignore(stream):
        await trio.sleep_forever()

    other.handle([ECHO], ignore)
    internet.connect(one, other)
    stream = await one.open_stream(other.local_peer, [ECHO])
    with trio.move_on_after(1_000) as scope:
        await stream.send_all(bytes(10_000_000))
    assert scope.cancelled_caught


async def test_a_cut_link_holds_bytes_until_it_is_mended(internet, autojump_clock):
    one, other = pair(internet)
    stream = await one.open_stream(other.local_peer, [ECHO])
    link = one.link_to(other.local_peer)
    link.cut()
    with trio.move_on_after(60):
        await stream.send_all(b"held")
        await stream.receive_some()
        pytest.fail("something passed a cut link")
    link.mend()
    await stream.send_all(b"!")
    assert (await stream.receive_some())[-1:] == b"!"


async def test_reset_reaches_both_sides(internet, autojump_clock):
    one, other = internet.node("one"), internet.node("other")
    outcome = []

    async def handler(stream):
        try:
            await stream.receive_some()
        except StreamReset:
            outcome.append("reset")

    other.handle([ECHO], handler)
    internet.connect(one, other)
    stream = await one.open_stream(other.local_peer, [ECHO])
    await wait_all_tasks_blocked()
    await stream.reset()
    await wait_all_tasks_blocked()
    assert outcome == ["reset"]
    with pytest.raises(StreamReset):
        await stream.receive_some()


async def test_writing_after_closing_is_our_own_mistake(internet, autojump_clock):
    one, other = pair(internet)
    stream = await one.open_stream(other.local_peer, [ECHO])
    await stream.aclose()
    with pytest.raises(StreamClosed):
        await stream.send_all(b"late")


async def test_peers_come_and_go(internet, autojump_clock):
    one, other = internet.node("one"), internet.node("other")
    seen = []

    class Listener:
        def peer_connected(self, peer):
            seen.append(("connected", peer))

        def peer_disconnected(self, peer):
            seen.append(("disconnected", peer))

    internet.connect(one, other)
    one.listen_to_peers(Listener())
    internet.disconnect(one, other)
    assert seen == [("connected", "other"), ("disconnected", "other")]
    assert one.peers() == []
    with pytest.raises(PeerNotConnected):
        await one.open_stream(other.local_peer, [ECHO])


async def test_disconnection_resets_the_streams_of_both_sides(internet, autojump_clock):
    one, other = pair(internet)
    stream = await one.open_stream(other.local_peer, [ECHO])
    internet.disconnect(one, other)
    with pytest.raises(StreamReset):
        await stream.receive_some()
    await wait_all_tasks_blocked()
    assert one.open_streams == other.open_streams == 0


async def test_the_first_protocol_that_both_speak_is_chosen(internet, autojump_clock):
    one, other = pair(internet)
    stream = await one.open_stream(other.local_peer, ["/unknown/1", ECHO])
    assert stream.protocol == ECHO
    with pytest.raises(ProtocolNotSupported):
        await one.open_stream(other.local_peer, ["/unknown/1"])


async def test_what_a_handler_raises_costs_its_peer_the_stream_only(internet, autojump_clock):
    one, other = internet.node("one"), internet.node("other")

    async def broken(stream):
        raise RuntimeError("bug")

    other.handle([ECHO], broken)
    internet.connect(one, other)
    stream = await one.open_stream(other.local_peer, [ECHO])
    with pytest.raises(StreamReset):
        await stream.receive_some()
    assert [str(failure) for failure in internet.failures] == ["bug"]
