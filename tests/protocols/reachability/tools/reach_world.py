"""A node that finds out whether it is reached, on a network in memory, and servers of every kind."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import trio
from multiaddr import Multiaddr

from peershelf.protocols.errors import NetworkError
from peershelf.protocols.fake import FakeInternet, FakeNetwork
from peershelf.protocols.reachability.case import Standing
from peershelf.protocols.reachability.checker import Checker
from peershelf.protocols.reachability.messages import (
    DIAL_BACK,
    DIAL_REQUEST,
    MAX_MESSAGE,
    Answer,
    Dialed,
    Question,
    Status,
    encode_dial_back,
)
from peershelf.protocols.reachability.streams import receive, send
from peershelf.protocols.transport import Arrival, PeerId, Stream
from peershelf.protocols.wire import FrameDecoder, encode_frame


def bytes_of(address: str) -> bytes:
    return Multiaddr(address).to_bytes()


OURS = bytes_of("/ip4/45.0.0.1/tcp/4001")
ELSEWHERE = bytes_of("/ip4/45.0.0.2/tcp/4001")
OK = Answer(Status.OK, 0, Dialed.OK)
NOT_REACHED = Answer(Status.OK, 0, Dialed.DIAL_ERROR)

Say = Callable[["Server", Stream, Question], Awaitable[None]]


class Addressed:
    """A fake network with addresses."""

    def __init__(self, world: World, inner: FakeNetwork) -> None:
        self._world = world
        self._inner = inner
        self.listening: Sequence[bytes] = [OURS]
        self.protocols: set[str] = set()

    def __getattr__(self, name: str):
        return getattr(self._inner, name)

    def handle(self, protocols, handler) -> None:
        self.protocols.update(protocols)
        self._inner.handle(protocols, handler)

    def listen_addresses(self) -> Sequence[bytes]:
        return self.listening

    def seen_at(self, peer: PeerId) -> bytes | None:
        return self._world.seen_at.get(peer)

    def observed_by(self, peer: PeerId) -> bytes | None:
        return self._world.observed_by.get(peer)

    def protocols_of(self, peer: PeerId) -> Sequence[str]:
        return self._world.serving.get(peer, ())

    def arrival_of(self, stream: Stream) -> Arrival | None:
        return self._world.arrivals.get(stream.peer)


class Server:
    """A server that does what a test has it do, in a network (/16) of its own."""

    def __init__(self, world: World, number: int, say: Say) -> None:
        self.world = world
        self.inner = world.internet.node(f"server {number}")
        self.peer = self.inner.local_peer
        self.say = say
        self.asked: list[float] = []
        self.dialer = world.internet.node(f"dialer {number}")
        world.seen_at[self.peer] = bytes_of(f"/ip4/8.{number}.0.1/tcp/4001")
        world.serving[self.peer] = (DIAL_REQUEST,)
        self.inner.handle([DIAL_REQUEST], self._handle)

    async def _handle(self, stream: Stream) -> None:
        self.asked.append(trio.current_time())
        with suppress(NetworkError):
            question = await receive(stream, FrameDecoder(MAX_MESSAGE))
            assert isinstance(question, Question)
            await self.say(self, stream, question)
        await stream.aclose()

    async def dial_back(self, nonce: int, *, at: bytes = OURS, of: Addressed | None = None) -> bool:
        """Say a nonce at an address, from elsewhere; returns whether it was thanked for."""
        ours = of or self.world.ours
        remote = self.world.seen_at[self.peer]
        self.world.arrivals[self.dialer.local_peer] = Arrival(at, remote, trio.current_time())
        self.world.internet.connect(self.dialer, ours._inner)
        try:
            stream = await self.dialer.open_stream(ours.local_peer, [DIAL_BACK])
            await stream.send_all(encode_frame(encode_dial_back(nonce)))
            return await stream.receive_some(1) == b"\0"
        except NetworkError:
            return False
        finally:
            self.world.internet.disconnect(self.dialer, ours._inner)


async def honest(server: Server, stream: Stream, question: Question) -> None:
    if server.world.reached:
        await server.dial_back(question.nonce)
    await send(stream, OK if server.world.reached else NOT_REACHED)


async def says_not_reached(server: Server, stream: Stream, question: Question) -> None:
    await send(stream, NOT_REACHED)


async def says_reached(server: Server, stream: Stream, question: Question) -> None:
    await send(stream, OK)


async def silent(server: Server, stream: Stream, question: Question) -> None:
    await trio.sleep_forever()


class World:
    """One node of ours, and servers around it."""

    def __init__(self, internet: FakeInternet) -> None:
        self.internet = internet
        self.seen_at: dict[PeerId, bytes] = {}
        self.observed_by: dict[PeerId, bytes] = {}
        self.serving: dict[PeerId, Sequence[str]] = {}
        self.arrivals: dict[PeerId, Arrival] = {}
        self.reached = True
        self.ours = Addressed(self, internet.node("ours"))
        self.told: list[tuple[Standing, tuple[bytes, ...]]] = []
        self.checker = Checker(
            self.ours, (), lambda *told: self.told.append((told[0], tuple(told[1]))), rng=random.Random(1)
        )
        self._numbers = iter(range(1, 200))

    def server(self, say: Say = honest) -> Server:
        """A server, connected."""
        server = Server(self, next(self._numbers), say)
        self.internet.connect(self.ours._inner, server.inner)
        return server

    @property
    def standing(self) -> Standing:
        return self.checker.standing


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    """A world in which our node is finding out."""
    async with FakeInternet().running() as internet, trio.open_nursery() as nursery:
        made = World(internet)
        await nursery.start(made.checker.run)
        yield made
        assert internet.failures == []
        nursery.cancel_scope.cancel()
