"""Frames by hand, and secured connections in memory."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import chain
from typing import Any

import pytest
import trio
import trio.testing
from libp2p.connection_types import ConnectionType
from libp2p.io.exceptions import ConnectionClosedError
from libp2p.peer.id import ID

from peershelf.protocols.libp2p.security.codec import Message
from peershelf.protocols.libp2p.yamux.driver import YamuxConnection
from peershelf.protocols.libp2p.yamux.frames import FrameDecoder, Header
from peershelf.protocols.libp2p.yamux.limits import YamuxLimits
from peershelf.protocols.libp2p.yamux.session import Session
from peershelf.protocols.libp2p.yamux.shared import Shared
from peershelf.protocols.libp2p.yamux.stream import Stream

PEER = ID(b"\x00\x01x")


@pytest.fixture
def frame() -> Callable[..., bytes]:
    """`frame(kind, flags, stream_id, length, payload)`; no field is checked."""

    def make(
        kind: int,
        flags: int = 0,
        stream_id: int = 0,
        length: int | None = None,
        payload: bytes = b"",
        version: int = 0,
    ) -> bytes:
        length = len(payload) if length is None else length
        return struct.pack(">BBHII", version, kind, flags, stream_id, length) + payload

    return make


@pytest.fixture
def frames_in() -> Callable[[bytes | Sequence[Message]], list[tuple[Header, bytes]]]:
    """`frames_in(data)` returns the headers, with their payloads, in bytes or messages."""

    def parse(data: bytes | Sequence[Message]) -> list[tuple[Header, bytes]]:
        decoder = FrameDecoder()
        decoder.receive(data if isinstance(data, bytes) else b"".join(chain.from_iterable(data)))
        found: list[tuple[Header, bytes]] = []
        while (part := decoder.next()) is not None:
            if isinstance(part, Header):
                found.append((part, b""))
            else:
                found[-1] = (found[-1][0], found[-1][1] + bytes(part))
        return found

    return parse


@pytest.fixture
def session() -> Callable[..., Session]:
    """`session(initiator=…, **limits)` makes a session at time 0, its first ping sent."""

    def make(*, initiator: bool = False, **limits: Any) -> Session:
        made = Session(initiator=initiator, now=0.0, limits=YamuxLimits(**limits))
        made.tick(0.0)
        made.data_to_send()
        return made

    return make


@pytest.fixture
def read() -> Callable[..., bytes]:
    """`read(session, stream, most, now=0.0)` returns as one what read_pieces() gives."""

    def take(session: Session, stream: Stream, most: int, now: float = 0.0) -> bytes:
        return b"".join(session.read_pieces(stream, most, now))

    return take


@pytest.fixture
def receive_all() -> Callable[[Session, bytes], list[Any]]:
    """`receive_all(session, data)` has a session deal with all of it, and returns all events."""

    def take_in(session: Session, data: bytes) -> list[Any]:
        events = session.receive(0.0, data)
        while session.is_behind:
            events += session.receive(0.0)
        return events

    return take_in


@pytest.fixture
def exchange() -> Callable[..., list[Any]]:
    """`exchange(a, b)` moves bytes between two sessions until neither has any; returns all events."""

    def move(*pair: Session, now: float = 0.0) -> list[Any]:
        events: list[Any] = []
        while any(one.has_data_to_send for one in pair):
            for sender, receiver in (pair, pair[::-1]):
                events += receiver.receive(now, *map(b"".join, sender.data_to_send()))
        return events

    return move


class MemorySecured:
    """One end of a secured connection in memory. Writes are whole; reads return what is there."""

    has_hung_up = False

    def __init__(self, stream: trio.StapledStream[Any, Any], *, initiator: bool) -> None:
        self.stream = stream
        self.is_initiator = initiator
        self.writes: list[bytes] = []
        self.gate = trio.Event()
        self.gate.set()

    async def read(self, n: int | None = None) -> bytes:
        try:
            data = await self.stream.receive_some(65_536 if n is None else n)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise ConnectionClosedError("closed") from error
        return bytes(data)

    async def arrives(self) -> bool:
        self.came = await self.read()
        return bool(self.came)

    def open_some(self) -> list[bytes]:
        return [self.came]

    async def write_messages(self, messages: Sequence[Message]) -> None:
        await self.write(b"".join(chain.from_iterable(messages)))

    async def write(self, data: bytes) -> None:
        await self.gate.wait()
        self.writes.append(data)
        try:
            await self.stream.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise ConnectionClosedError("closed") from error

    async def close(self) -> None:
        await self.stream.aclose()

    def get_remote_address(self) -> tuple[str, int]:
        return ("192.0.2.1", 4001)

    def get_transport_addresses(self) -> list[Any]:
        return []

    def get_connection_type(self) -> ConnectionType:
        return ConnectionType.DIRECT


@pytest.fixture
def secured_pair() -> Callable[[], tuple[MemorySecured, MemorySecured]]:
    """`secured_pair()` returns the two ends of a connection, the dialing one first."""

    def make() -> tuple[MemorySecured, MemorySecured]:
        dialer, listener = trio.testing.memory_stream_pair()
        return MemorySecured(dialer, initiator=True), MemorySecured(listener, initiator=False)

    return make


@pytest.fixture
def connected(secured_pair: Any, nursery: trio.Nursery) -> Callable[..., Any]:
    """`await connected(shared)` returns two ends of a connection, the second of which shares a budget."""

    async def make(shared: Shared) -> tuple[YamuxConnection, YamuxConnection]:
        dialer, listener = secured_pair()
        ends = YamuxConnection(dialer, PEER), YamuxConnection(listener, PEER, shared=shared)
        for one in ends:
            nursery.start_soon(one.start)
            await one.event_started.wait()
        return ends

    return make


@pytest.fixture
def connections(secured_pair: Any) -> Callable[..., Any]:
    """`async with connections(**limits) as (a, b)` runs both ends of a connection."""

    @asynccontextmanager
    async def run(**limits: Any) -> AsyncIterator[Any]:
        made = [YamuxConnection(secured, PEER, YamuxLimits(**limits)) for secured in secured_pair()]
        async with trio.open_nursery() as nursery:
            for one in made:
                nursery.start_soon(one.start)
                await one.event_started.wait()
            yield made
            nursery.cancel_scope.cancel()

    return run


@pytest.fixture
def raw_peer(secured_pair: Any) -> Callable[..., Any]:
    """`async with raw_peer(**limits) as (connection, raw)`: one end runs, the other one is bytes by hand."""

    @asynccontextmanager
    async def run(**limits: Any) -> AsyncIterator[Any]:
        raw, secured = secured_pair()
        connection = YamuxConnection(secured, PEER, YamuxLimits(**limits))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(connection.start)
            await connection.event_started.wait()
            yield connection, raw
            nursery.cancel_scope.cancel()

    return run
