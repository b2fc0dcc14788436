"""Nodes that exchange blocks over the fake network, and strangers that say what a test has them say."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest
import trio

from peershelf.blockstore.block import Block
from peershelf.blockstore.store.memory import MemoryStore
from peershelf.protocols.bitswap import Bitswap, BitswapLimits
from peershelf.protocols.bitswap.messages import (
    BITSWAP_1_2_0,
    Message,
    Payload,
    Prefix,
    Presence,
    WantEntry,
    encode,
)
from peershelf.protocols.bitswap.parsing import decode
from peershelf.protocols.errors import StreamReset, TransportError
from peershelf.protocols.fake import FakeInternet, FakeNetwork
from peershelf.protocols.offload import Offload
from peershelf.protocols.transport import Stream
from peershelf.protocols.wire import FrameDecoder, encode_frame

sys.path.insert(0, str(Path(__file__).parent / "tools"))


async def inline(function: Callable[[], Any], /) -> Any:
    """Stands in for a worker thread: virtual time does not wait for threads."""
    await trio.lowlevel.checkpoint()
    return function()


def make_blocks(count: int, size: int = 1_000, seed: int = 0) -> list[Block]:
    random = Random(seed)
    return [Block.create(random.randbytes(size)) for _ in range(count)]


def payload(block: Block, data: bytes | None = None) -> Payload:
    """A block as it travels; with `data`, other bytes in its place."""
    return Payload(Prefix.of(block.cid), block.data if data is None else data)


@dataclass
class Node:
    network: FakeNetwork
    store: MemoryStore
    bitswap: Bitswap

    @property
    def peer(self):
        return self.network.local_peer


@dataclass
class Stranger:
    """A peer that speaks the wire format by hand. `react` is called with each message it gets."""

    network: FakeNetwork
    protocol: str
    react: Callable[[Stranger, Message], Any] | None = None
    messages: list[Message] = field(default_factory=list)
    changed: trio.Event = field(default_factory=trio.Event)
    reads: bool = True
    reply: Stream | None = None
    node: Node | None = None

    @property
    def peer(self):
        return self.network.local_peer

    @property
    def wants(self) -> list[WantEntry]:
        """Every line of every wantlist it was sent, cancels included."""
        return [entry for message in self.messages for entry in message.wants]

    @property
    def presences(self) -> list[Presence]:
        return [presence for message in self.messages for presence in message.presences]

    @property
    def blocks(self) -> list[bytes]:
        return [bytes(payload.data) for message in self.messages for payload in message.payloads]

    async def handle(self, stream: Stream) -> None:
        if not self.reads:
            await trio.sleep_forever()
        decoder = FrameDecoder(8 << 20)
        # The node resets its streams when it ends.
        with suppress(StreamReset):
            while data := await stream.receive_some():
                decoder.receive(data)
                while (frame := decoder.next_frame()) is not None:
                    await self.take(decode(frame))

    async def take(self, message: Message) -> None:
        self.messages.append(message)
        self.changed.set()
        self.changed = trio.Event()
        if self.react is not None:
            await self.react(self, message)

    async def until(self, condition: Callable[[], Any]) -> None:
        """Wait until something that was received makes the condition true."""
        while not condition():
            await self.changed.wait()

    async def say(self, message: Message) -> None:
        await self.write(encode_frame(b"".join(encode(message, self.protocol))))

    async def write(self, data: bytes) -> None:
        """Write to the node on one stream, opened anew where the last one was reset."""
        if self.reply is None:
            self.reply = await self.network.open_stream(self.node.peer, [self.protocol])
        try:
            await self.reply.send_all(data)
        except TransportError:
            self.reply = None
            raise

    async def open_stream(self) -> Stream:
        return await self.network.open_stream(self.node.peer, [self.protocol])


class World:
    """A fake internet with nodes on it."""

    def __init__(self, internet: FakeInternet, nursery: trio.Nursery) -> None:
        self.internet = internet
        self.nursery = nursery

    async def node(
        self,
        name: str,
        blocks: Iterable[Block] = (),
        *,
        limits: BitswapLimits | None = None,
        store: MemoryStore | None = None,
        cpu: Callable[[], float] = float,
        offload: Offload = inline,
        **rates: float,
    ) -> Node:
        network = self.internet.node(name, **rates)
        store = store or MemoryStore()
        store.put_many(blocks)
        # Nor does it wait for the CPU: by default, work costs nobody anything.
        bitswap = Bitswap(network, store, limits=limits, offload=offload, cpu=cpu)
        await self.nursery.start(bitswap.run)
        return Node(network, store, bitswap)

    def stranger(self, name: str, node: Node, *, protocol: str = BITSWAP_1_2_0, **options: Any) -> Stranger:
        """Add a scripted peer that is connected to `node`."""
        stranger = Stranger(self.internet.node(name), protocol, node=node, **options)
        stranger.network.handle([protocol], stranger.handle)
        self.internet.connect(stranger.network, node.network)
        return stranger

    def connect(self, *nodes: Node, latency: float = 0.01) -> None:
        """Connect each with each."""
        for index, one in enumerate(nodes):
            for other in nodes[:index]:
                self.internet.connect(one.network, other.network, latency=latency)

    def disconnect(self, one: Node | Stranger, other: Node | Stranger) -> None:
        self.internet.disconnect(one.network, other.network)


async def fetch(node: Node, blocks: Sequence[Block]) -> None:
    """Fetch blocks and see that each comes, once, and right."""
    wanted = {block.cid: block.data for block in blocks}
    async with node.bitswap.session() as session:
        session.want(wanted)
        async for block in session:
            assert wanted.pop(block.cid) == block.data
    assert not wanted
    assert all(node.store.get(block.cid) == block.data for block in blocks)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Where nodes live. Ask for autojump_clock beside it. Fails if a stream handler let an exception out."""
    async with FakeInternet().running() as internet, trio.open_nursery() as nursery:
        yield World(internet, nursery)
        nursery.cancel_scope.cancel()
    assert internet.failures == []


@pytest.fixture(name="make_blocks")
def make_blocks_fixture():
    return make_blocks


@pytest.fixture(name="payload")
def payload_fixture():
    return payload


@pytest.fixture(name="fetch")
def fetch_fixture():
    return fetch
