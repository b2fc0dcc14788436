"""One live connection and what is known of the peer behind it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import trio
from libp2p.abc import INetConn
from libp2p.network.connection.swarm_connection import SwarmConn
from libp2p.rcmgr import Direction

from peershelf.protocols.errors import PeerNotConnected, ProtocolNotSupported, StreamReset
from peershelf.protocols.libp2p.addresses import Multiaddr
from peershelf.protocols.libp2p.buffered import BufferedStream
from peershelf.protocols.libp2p.hardening import reset_quietly
from peershelf.protocols.libp2p.identify import Identity
from peershelf.protocols.libp2p.info import ConnectionInfo
from peershelf.protocols.libp2p.limits import HostLimits
from peershelf.protocols.libp2p.negotiation import select
from peershelf.protocols.libp2p.streams import Libp2pStream
from peershelf.protocols.libp2p.transport.half_open import Endpoint
from peershelf.protocols.libp2p.transport.websocket import WebSocketEndpoint
from peershelf.protocols.libp2p.yamux.table import Load
from peershelf.protocols.traffic import Traffic, is_local
from peershelf.protocols.transport import PeerId, Stream


@dataclass(eq=False, slots=True)
class Connection:
    """A connection of the swarm with its peer's identity and its streams (it is their `StreamOwner`).

    Args:
        nursery: where streams that we closed wait for their peer's end.
        traffic: the books of the host.

    `asked` is set once the peer has said who it is, or will not.
    """

    inner: SwarmConn
    nursery: trio.Nursery
    limits: HostLimits
    opened: float = field(default_factory=time.time)
    since: float = field(default_factory=trio.current_time)
    wanted: bool = False
    identity: Identity | None = None
    asked: trio.Event = field(default_factory=trio.Event)
    latency: float | None = None
    traffic: Traffic = field(default_factory=Traffic)
    streams: set[Libp2pStream] = field(default_factory=set)
    lingering: set[Libp2pStream] = field(default_factory=set)
    _handlers: set[trio.CancelScope] = field(default_factory=set)
    _remote: Multiaddr | None = None

    @property
    def peer(self) -> PeerId:
        """The peer, as its secure channel proved it."""
        return PeerId(str(self.inner.muxed_conn.peer_id))

    @property
    def is_outbound(self) -> bool:
        """Whether we dialed."""
        return self.inner.direction is Direction.OUTBOUND

    @property
    def last_used(self) -> float:
        """When data of a stream moved last, on trio's clock, as `since` is."""
        muxed: Any = self.inner.muxed_conn
        return cast(float, muxed.last_used)

    @property
    def is_idle(self) -> bool:
        """Whether nobody uses a stream of it, in either direction."""
        return not self.streams

    @property
    def stream_count(self) -> int:
        """Streams that cost memory: used, under negotiation, or waiting for the peer to close its side."""
        return len(self.inner.get_streams()) + len(self.lingering)

    @property
    def remote(self) -> Multiaddr:
        """The peer's side of the connection: an IP address and a TCP port, and /ws if that is spoken."""
        if self._remote is None:
            # Making one takes a tenth of a millisecond, and some ask for each message.
            self._remote = self.with_transport(remote_endpoint(self.inner))
        return self._remote

    def with_transport(self, end: Endpoint) -> Multiaddr:
        """Return the address of an end of the connection, which is spoken over TCP, and WebSocket or not."""
        host, port = end
        ws = "/ws" if isinstance(remote_endpoint(self.inner), WebSocketEndpoint) else ""
        return Multiaddr(f"/{'ip6' if ':' in host else 'ip4'}/{host}/tcp/{port}{ws}")

    @property
    def load(self) -> Load:
        """What its streams come to, as the muxer counts them."""
        muxed: Any = self.inner.muxed_conn
        return cast(Load, muxed.load)

    @property
    def remote_host(self) -> str:
        """The IP address at the peer's side."""
        return remote_endpoint(self.inner)[0]

    async def open_stream(self, protocols: Sequence[str]) -> Libp2pStream:
        """Open a stream and agree on one of `protocols`, tried in order.

        Raises PeerNotConnected, ProtocolNotSupported, StreamReset.
        """
        if self.inner.is_closed:
            raise PeerNotConnected(f"not connected to {self.peer}")
        stream: BufferedStream | None = None
        try:
            with trio.fail_after(self.limits.negotiate_timeout):
                stream = BufferedStream(await self.inner.new_stream())
                stream.set_protocol(await select(stream, protocols))
            return self.adopt(stream)
        except BaseException as error:
            if stream is not None:
                await reset_quietly(stream)
            if isinstance(error, ProtocolNotSupported) or not isinstance(error, Exception):
                raise
            raise StreamReset(f"no stream could be opened to {self.peer}") from error

    def adopt(self, stream: BufferedStream) -> Libp2pStream:
        """Return a negotiated stream of this connection in the form that protocol drivers use."""
        flow = self.traffic.flow(
            self.peer, str(stream.get_protocol()), local=is_local(remote_endpoint(self.inner)[0])
        )
        adopted = Libp2pStream(stream, self.peer, self, self.limits, flow)
        self.streams.add(adopted)
        return adopted

    async def serve(self, stream: BufferedStream, handler: ConnectionHandler) -> None:
        """Run `handler` on an inbound stream, as long as the connection lasts; then end the stream.

        Raises what the handler raises, once the stream is reset. py-libp2p would leave a handler that does
        not look at its stream running for ever after the connection is gone.
        """
        adopted = self.adopt(stream)
        try:
            with trio.CancelScope() as scope:
                self._handlers.add(scope)
                await handler(self, adopted)
                await adopted.aclose()
        finally:
            self._handlers.discard(scope)
            await adopted.abandon()

    async def rest(self) -> None:
        """Wait until the peer has paid for what was done for it (see YamuxConnection)."""
        muxed: Any = self.inner.muxed_conn
        await muxed.rest()

    def end(self) -> None:
        """The connection has ended: so do the handlers of its inbound streams."""
        for scope in self._handlers:
            scope.cancel()

    def start_linger(self, stream: Libp2pStream) -> None:
        """Let `stream` wait for its peer's end in the background."""
        self.streams.discard(stream)
        self.lingering.add(stream)
        self.nursery.start_soon(stream.linger)

    def forget(self, stream: Libp2pStream) -> None:
        """Both sides of `stream` have ended."""
        self.streams.discard(stream)
        self.lingering.discard(stream)

    def info(self) -> ConnectionInfo:
        """Return a snapshot for people."""
        return ConnectionInfo(
            peer=self.peer,
            address=str(self.remote),
            direction=self.inner.direction.name.lower(),
            security=self.inner.get_negotiated_security_protocol() or "",
            muxer=self.inner.get_negotiated_muxer_protocol() or "",
            opened=self.opened,
            streams=tuple(sorted(stream.protocol for stream in self.streams)),
            agent=self.identity.agent if self.identity else None,
            protocols=self.identity.protocols if self.identity else (),
            latency=self.latency,
        )


ConnectionHandler = Callable[[Connection, Stream], Awaitable[None]]
"""Serves one inbound stream, knowing the connection that it came in on."""


def remote_endpoint(inner: INetConn) -> Endpoint:
    """Return the peer's IP address and port: the very object that is `TcpStream.remote`.

    The muxer is asked for it, because over TLS py-libp2p knows no transport addresses.
    """
    muxed: Any = inner.muxed_conn
    return cast(Endpoint, muxed.get_remote_address())
