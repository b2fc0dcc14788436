"""Ping, from both ends."""

from __future__ import annotations

import pytest
import trio

from peershelf.protocols.errors import PeerNotConnected, RemoteProtocolError, StreamReset
from peershelf.protocols.libp2p import HostLimits
from peershelf.protocols.libp2p.ping import IDLE_TIMEOUT, PING, SIZE, answer_pings


async def test_a_ping_takes_a_positive_time_and_is_remembered(host):
    a, b = await host(), await host()
    await a.connect(b.addresses()[0])
    assert a.connections()[0].latency is None
    latency = await a.ping(b.local_peer)
    assert 0 < latency < 5
    assert a.connections()[0].latency == latency


async def test_several_pings_can_follow_on_one_stream(host):
    a, b = await host(), await host()
    await a.connect(b.addresses()[0])
    stream = await a.open_stream(b.local_peer, [PING])
    for value in range(3):
        payload = bytes([value]) * SIZE
        await stream.send_all(payload)
        assert await stream.receive_some() == payload
    await stream.aclose()


async def test_a_peer_that_is_not_connected_cannot_be_pinged(host):
    a, b = await host(), await host()
    with pytest.raises(PeerNotConnected):
        await a.ping(b.local_peer)


@pytest.mark.parametrize(("answer", "error"), [(bytes(SIZE), RemoteProtocolError), (b"short", StreamReset)])
async def test_a_wrong_answer_is_an_error(host, answer, error):
    a, b = await host(), await host()

    async def answer_wrongly(stream):
        await stream.receive_some()
        await stream.send_all(answer)

    b.handle([PING], answer_wrongly)
    await a.connect(b.addresses()[0])
    with pytest.raises(error):
        await a.ping(b.local_peer)


async def test_no_answer_is_an_error_in_time(host):
    a, b = await host(limits=HostLimits(negotiate_timeout=0.3)), await host()

    async def say_nothing(stream):
        await trio.sleep_forever()

    b.handle([PING], say_nothing)
    await a.connect(b.addresses()[0])
    with trio.fail_after(3), pytest.raises(StreamReset, match=r"no answer within 0\.3 s"):
        await a.ping(b.local_peer)


async def test_an_idle_ping_stream_is_given_up(autojump_clock):
    class Silent:
        async def receive_some(self, max_bytes):
            await trio.sleep_forever()

    start = trio.current_time()
    await answer_pings(Silent(), trio.lowlevel.checkpoint)
    assert trio.current_time() - start == pytest.approx(IDLE_TIMEOUT)
