"""A network in memory, under whatever clock trio runs on: with an autojumping one, hours pass in seconds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import structlog
import trio

from peershelf.protocols.errors import PeerNotConnected, ProtocolNotSupported
from peershelf.protocols.fake.link import DEFAULT_WINDOW, Link
from peershelf.protocols.fake.pipe import Pipe
from peershelf.protocols.fake.stream import Channel, FakeStream
from peershelf.protocols.transport import PeerId, PeerListener, Stream, StreamHandler

log = structlog.get_logger(__name__)


class FakeNetwork:
    """One node's view of a FakeInternet; see transport.Network."""

    def __init__(self, internet: FakeInternet, peer: PeerId, upload: Pipe, download: Pipe) -> None:
        self._internet = internet
        self._peer = peer
        self._handlers: dict[str, StreamHandler] = {}
        self._listeners: list[PeerListener] = []
        self._links: dict[PeerId, Link] = {}
        self._streams: dict[FakeStream, None] = {}
        self.upload = upload
        self.download = download

    @property
    def local_peer(self) -> PeerId:
        return self._peer

    @property
    def open_streams(self) -> int:
        """Streams, of either side's opening, that our side has not ended."""
        return len(self._streams)

    def peers(self) -> list[PeerId]:
        return list(self._links)

    def handle(self, protocols: Sequence[str], handler: StreamHandler) -> None:
        self._handlers.update(dict.fromkeys(protocols, handler))

    def unhandle(self, protocols: Sequence[str]) -> None:
        for protocol in protocols:
            self._handlers.pop(protocol, None)

    def listen_to_peers(self, listener: PeerListener) -> None:
        self._listeners.append(listener)
        for peer in self._links:
            listener.peer_connected(peer)

    async def open_stream(self, peer: PeerId, protocols: Sequence[str]) -> Stream:
        link = self._links.get(peer)
        if link is None:
            raise PeerNotConnected(f"there is no connection to {peer}")
        # One round trip of negotiation.
        await trio.sleep(2 * link.latency)
        await link.pass_through()
        if self._links.get(peer) is not link:
            raise PeerNotConnected(f"the connection to {peer} is gone")
        return self._internet.make_stream(self, peer, protocols)

    def link_to(self, peer: PeerId) -> Link:
        """The connection to a peer, to cut and mend."""
        return self._links[peer]

    def choose_protocol(self, offered: Sequence[str]) -> str:
        """The first protocol offered that we handle. Raises ProtocolNotSupported."""
        for protocol in offered:
            if protocol in self._handlers:
                return protocol
        raise ProtocolNotSupported(f"{self._peer} speaks none of the protocols offered")

    def add_stream(self, peer: PeerId, protocol: str, outgoing: Channel, incoming: Channel) -> FakeStream:
        stream = FakeStream(peer, protocol, outgoing, incoming, lambda: self._forget(stream))
        self._streams[stream] = None
        return stream

    def accept(self, stream: FakeStream) -> None:
        self._internet.run_handler(self._handlers[stream.protocol], stream)

    def add_link(self, peer: PeerId, link: Link) -> None:
        self._links[peer] = link
        for listener in self._listeners:
            listener.peer_connected(peer)

    def remove_link(self, peer: PeerId) -> None:
        if self._links.pop(peer, None) is None:
            return
        for stream in [stream for stream in self._streams if stream.peer == peer]:
            stream.break_off()
        for listener in self._listeners:
            listener.peer_disconnected(peer)

    def _forget(self, stream: FakeStream) -> None:
        self._streams.pop(stream, None)


class FakeInternet:
    """Nodes and the links between them. Handlers run inside running()."""

    def __init__(self) -> None:
        self._nodes: dict[PeerId, FakeNetwork] = {}
        self._nursery: trio.Nursery | None = None
        self.failures: list[Exception] = []
        """What stream handlers raised; a test that expects none says so."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[FakeInternet]:
        """Run handlers of inbound streams while this is entered."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            yield self
            nursery.cancel_scope.cancel()

    def node(self, name: str, *, upload: float | None = None, download: float | None = None) -> FakeNetwork:
        """Add a node. Rates are those of its line, in bytes per second."""
        peer = PeerId(name)
        self._nodes[peer] = FakeNetwork(self, peer, Pipe(upload), Pipe(download))
        return self._nodes[peer]

    def connect(
        self, one: FakeNetwork, other: FakeNetwork, *, latency: float = 0.01, window: int = DEFAULT_WINDOW
    ) -> Link:
        """Connect two nodes; `latency` is one way, in seconds, `window` is each stream's, in bytes."""
        link = Link(latency, window)
        one.add_link(other.local_peer, link)
        other.add_link(one.local_peer, link)
        return link

    def disconnect(self, one: FakeNetwork, other: FakeNetwork) -> None:
        """End the connection and all its streams; both sides are told."""
        one.remove_link(other.local_peer)
        other.remove_link(one.local_peer)

    def make_stream(self, opener: FakeNetwork, peer: PeerId, protocols: Sequence[str]) -> FakeStream:
        """Open a stream from one node to another, which starts handling it."""
        acceptor = self._nodes[peer]
        protocol = acceptor.choose_protocol(protocols)
        link = opener.link_to(peer)
        there = Channel(link, opener.upload, acceptor.download)
        back = Channel(link, acceptor.upload, opener.download)
        acceptor.accept(acceptor.add_stream(opener.local_peer, protocol, back, there))
        return opener.add_stream(peer, protocol, there, back)

    def run_handler(self, handler: StreamHandler, stream: FakeStream) -> None:
        """Handle a stream in a task of its own; what it raises costs its peer the stream."""
        if self._nursery is None:
            raise RuntimeError("enter FakeInternet.running() first")
        self._nursery.start_soon(self._contained, handler, stream)

    async def _contained(self, handler: StreamHandler, stream: FakeStream) -> None:
        try:
            await handler(stream)
        except Exception as error:
            self.failures.append(error)
            log.warning("stream_handler_failed", protocol=stream.protocol, reason=repr(error))
            stream.break_off()
