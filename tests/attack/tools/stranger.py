"""A whole peer at the other end, whose bitswap is what a test makes of it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import trio
from handmade import BITSWAP, bitswap
from secured import PATIENCE
from victim import Victim

from peershelf.protocols.bitswap.messages import Message
from peershelf.protocols.bitswap.parsing import decode
from peershelf.protocols.errors import StreamReset, TransportError
from peershelf.protocols.libp2p import Libp2pNetwork
from peershelf.protocols.libp2p.addresses import Multiaddr, endpoint
from peershelf.protocols.libp2p.transport.stream import TcpStream
from peershelf.protocols.transport import PeerId, Stream
from peershelf.protocols.wire import FrameDecoder

React = Callable[["Stranger", Message], Awaitable[None]]


class Stranger:
    """Connected to the victim. Calls `react` with each message that it reads; reads once `reading` is set."""

    def __init__(self, victim: str, react: React | None) -> None:
        self.network = Libp2pNetwork(
            private_key=os.urandom(32), listen=["/ip4/127.0.0.1/tcp/0"], agent="stranger/0"
        )
        self.network.handle([BITSWAP], self._handle)
        self.messages: list[Message] = []
        self.reading = trio.Event()
        self.asked = trio.Event()
        """Set when the victim wants something of this peer."""
        self._victim = PeerId(victim)
        self._react = react
        self._stream: Stream | None = None
        self._changed = trio.Event()

    @property
    def name(self) -> str:
        return str(self.network.local_peer)

    @property
    def blocks(self) -> list[bytes]:
        """Every block that the victim sent."""
        return [bytes(payload.data) for message in self.messages for payload in message.payloads]

    async def _handle(self, stream: Stream) -> None:
        await self.reading.wait()
        frames = FrameDecoder(8 << 20)
        with suppress(StreamReset):
            while data := await stream.receive_some():
                frames.receive(data)
                while (frame := frames.next_frame()) is not None:
                    await self._take(decode(frame))

    async def _take(self, message: Message) -> None:
        self.messages.append(message)
        if message.wants:
            self.asked.set()
        if self._react is not None:
            with suppress(TransportError):
                await self._react(self, message)
        self._changed.set()
        self._changed = trio.Event()

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for what the victim says to make a condition true."""
        with trio.fail_after(PATIENCE):
            while not condition():
                await self._changed.wait()

    async def open_stream(self) -> Stream:
        return await self.network.open_stream(self._victim, [BITSWAP])

    async def say(self, message: Message) -> None:
        """Send a message on one stream that is kept."""
        await self.write(bitswap(message))

    async def write(self, data: bytes) -> None:
        if self._stream is None:
            self._stream = await self.open_stream()
        try:
            await self._stream.send_all(data)
        except TransportError:
            self._stream = None
            raise


def dial_from(network: Libp2pNetwork, source: str) -> None:
    """Make every connection of a network from one of this machine's addresses."""
    transport = network._transport

    async def connect(address: Multiaddr) -> TcpStream:
        _, host, port = endpoint(address)
        return transport.adopt(await trio.open_tcp_stream(host, port, local_address=source))

    transport._connect_tcp = connect


async def is_reset(stream: Stream) -> None:
    """Fail unless the victim resets a stream."""
    with trio.fail_after(PATIENCE):
        try:
            while await stream.receive_some():
                pass
        except StreamReset:
            return
    raise AssertionError("the stream ended, and was not reset")


@asynccontextmanager
async def stranger(
    victim: Victim, react: React | None = None, *, reads: bool = True, source: str | None = None
) -> AsyncIterator[Stranger]:
    """Run a stranger that is connected to the victim, from an address of this machine if one is given."""
    made = Stranger(victim.peer, react)
    if source is not None:
        dial_from(made.network, source)
    if reads:
        made.reading.set()
    async with trio.open_nursery() as nursery:
        await nursery.start(made.network.run)
        await made.network.connect(victim.address)
        yield made
        nursery.cancel_scope.cancel()
