"""A socket gets no further than its place until its peer has greeted."""

from __future__ import annotations

import pytest
import trio

from peershelf.protocols.libp2p import HostLimits
from peershelf.protocols.libp2p.addresses import Multiaddr
from peershelf.protocols.libp2p.transport import tcp

GREETING = b"\x13/multistream/1.0.0\n"


class Listening:
    """A listener, and what has come on the connections that it has handed over."""

    def __init__(self) -> None:
        self.listener = tcp.TcpTransport(HostLimits()).create_listener(self._read_all)
        self.handed_over = 0
        self.received = bytearray()
        self._dialed: list[trio.SocketStream] = []

    async def _read_all(self, stream) -> None:
        self.handed_over += 1
        while data := await stream.read(100):
            self.received += data

    async def dial(self) -> trio.SocketStream:
        port = int(str(self.listener.get_addrs()[0]).split("/")[4])
        self._dialed.append(await trio.open_tcp_stream("127.0.0.1", port))
        return self._dialed[-1]

    async def gets(self, data: bytes) -> None:
        with trio.fail_after(1):
            while self.received != data:
                await trio.lowlevel.checkpoint()

    async def close(self) -> None:
        await self.listener.close()
        for stream in self._dialed:
            await stream.aclose()


@pytest.fixture
async def listening(nursery):
    made = Listening()
    made.listener.background_nursery = nursery
    await made.listener.listen(Multiaddr("/ip4/127.0.0.1/tcp/0"))
    yield made
    await made.close()


async def is_closed(stream: trio.SocketStream) -> bool:
    """Wait for the other side to close."""
    try:
        return await stream.receive_some() == b""
    except trio.BrokenResourceError:
        return True


async def test_sockets_that_have_not_greeted_are_not_handed_over(listening):
    mute = []
    for _ in range(100):
        mute.append(await listening.dial())
        await mute[-1].send_all(GREETING[:-1])
    # The last ones have places still; those before made room for them.
    with trio.fail_after(5):
        assert all([await is_closed(stream) for stream in mute[:80]])
    assert not listening.handed_over
    await mute[-1].send_all(GREETING[-1:])
    await listening.gets(GREETING)
    assert listening.handed_over == 1


async def test_after_the_greeting_single_bytes_are_read(listening):
    stream = await listening.dial()
    await stream.send_all(GREETING)
    await listening.gets(GREETING)
    await stream.send_all(b"x")
    await listening.gets(GREETING + b"x")


async def test_who_waits_for_us_to_greet_is_handed_over_after_a_while(listening, monkeypatch):
    monkeypatch.setattr(tcp, "_FIRST_PATIENCE", 0.005)
    stream = await listening.dial()
    await stream.send_all(b"x")
    await listening.gets(b"x")
