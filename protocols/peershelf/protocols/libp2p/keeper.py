"""Looks after each connection from the moment that the swarm has set it up until it has ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio
from libp2p.network.connection.swarm_connection import SwarmConn
from libp2p.network.swarm import Swarm

from peershelf.protocols.errors import DialFailed, LocalProtocolError, StreamReset
from peershelf.protocols.libp2p.buffered import BufferedStream
from peershelf.protocols.libp2p.connection import Connection, remote_endpoint
from peershelf.protocols.libp2p.duplicates import MOP_UP, SETTLE
from peershelf.protocols.libp2p.limits import HostLimits
from peershelf.protocols.libp2p.service import close_connection
from peershelf.protocols.libp2p.table import ConnectionTable
from peershelf.protocols.libp2p.transport.half_open import Endpoint
from peershelf.protocols.libp2p.transport.tcp import TcpTransport
from peershelf.protocols.libp2p.trimming import Protection, Trimmer, rested, surplus
from peershelf.protocols.traffic import Traffic
from peershelf.protocols.transport import PeerId

DRAIN_INTERVAL = 0.25


class ConnectionKeeper:
    """Keeps the table of connections true to what the swarm has.

    Args:
        greet: run once for each new connection, while it lasts.
    """

    def __init__(
        self,
        swarm: Swarm,
        transport: TcpTransport,
        limits: HostLimits,
        greet: Callable[[Connection], Awaitable[None]],
        traffic: Traffic,
    ) -> None:
        self.table = ConnectionTable(PeerId(str(swarm.get_peer_id())))
        self.protection = Protection()
        self._trimmer = Trimmer(self._trim)
        self._retiring: set[Connection] = set()
        self._closing: set[SwarmConn] = set()
        self._swarm = swarm
        self._transport = transport
        self._limits = limits
        self._greet = greet
        self._traffic = traffic
        self._nursery: trio.Nursery | None = None
        transport.inbound.may_go = self.may_make_room

    def check_running(self) -> trio.Nursery:
        """Return where everything about connections runs. Raises LocalProtocolError unless the host runs."""
        if self._nursery is None:
            raise LocalProtocolError("the host is not running")
        return self._nursery

    def check_room(self) -> None:
        """Raises DialFailed when no connection can be added."""
        if len(self.table) >= self._limits.max_connections:
            raise DialFailed("this node has as many connections as it allows itself")

    def start(self, nursery: trio.Nursery) -> None:
        """Look after connections from now on, in tasks of `nursery`."""
        self._nursery = nursery
        nursery.start_soon(self._trimmer.run)

    def stop(self) -> None:
        """The host has ended: nothing is dialed any more."""
        self._nursery = None

    def _trim(self) -> None:
        now = trio.current_time()
        for choose in (surplus, rested):
            for connection in choose(list(self.table), self.protection, self._limits, now):
                self.close(connection)

    def connected(self, inner: SwarmConn) -> None:
        """The swarm has a new connection, which may have ended meanwhile."""
        if inner.is_closed or inner in self._closing:
            self._swarm.remove_conn(inner)
        elif self.table.find(inner) is None:
            self._take_in(inner)

    def _take_in(self, inner: SwarmConn) -> Connection:
        connection = Connection(inner, self.check_running(), self._limits, traffic=self._traffic)
        self._transport.inbound.half_open.settle(remote_endpoint(inner))
        connection.wanted = self.is_wanted(connection.peer)
        self.table.add(connection)
        if len(self.table) > self._limits.high_water:
            self._trimmer.high_water_crossed()
        self.check_running().start_soon(self._attend, connection)
        self._settle(connection.peer)
        return connection

    def _settle(self, peer: PeerId) -> None:
        """See to it that one connection of `peer` is left in the end (see `duplicates`)."""
        extra = self.table.superseded(peer)
        too_many = len(extra) + 1 - self._limits.connections_per_peer
        for connection in extra[: max(0, too_many)]:
            self.close(connection)
        for connection in extra[max(0, too_many) :]:
            if connection not in self._retiring:
                self._retiring.add(connection)
                self.check_running().start_soon(self._retire, connection)

    async def _retire(self, connection: Connection) -> None:
        """Close a superseded connection when its streams have ended, or have had long enough to."""
        try:
            with trio.move_on_after(SETTLE if self.table.ours_first(connection.peer) else MOP_UP):
                await connection.inner.event_closed.wait()
            with trio.move_on_after(self._limits.drain):
                while connection.stream_count and not connection.inner.is_closed:  # noqa: ASYNC110 -- no event
                    await trio.sleep(DRAIN_INTERVAL)
            if connection in self.table.superseded(connection.peer):
                self.close(connection)
        finally:
            self._retiring.discard(connection)

    async def _attend(self, connection: Connection) -> None:
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._greet, connection)
                await connection.inner.event_closed.wait()
                self._swarm.remove_conn(connection.inner)
                self.table.remove(connection)
                nursery.cancel_scope.cancel()
        finally:
            self._closing.discard(connection.inner)
            self.table.remove(connection)
            connection.end()

    def want(self, peer: PeerId) -> None:
        """A user has asked for a connection to `peer`: as long as it lasts it is trimmed last."""
        for connection in self.table:
            connection.wanted = connection.wanted or connection.peer == peer

    def is_wanted(self, peer: PeerId) -> bool:
        """Tell whether a user has asked for a connection to `peer`, and there is one still."""
        return any(connection.wanted for connection in self.table if connection.peer == peer)

    def close(self, connection: Connection) -> None:
        """Its peer counts as gone from now on; the socket is closed in the background, within a second."""
        self.table.remove(connection)
        self._closing.add(connection.inner)
        if self._nursery is not None:  # a host that ends closes all of them itself
            self._nursery.start_soon(close_connection, self._swarm, self._transport, connection.inner)

    def may_make_room(self, remote: Endpoint) -> bool:
        """Tell whether a socket is neither that of a protected peer nor of one that a user asked for."""
        of_socket = next((one for one in self.table if remote_endpoint(one.inner) == remote), None)
        return of_socket is None or not (of_socket.wanted or of_socket.peer in self.protection)

    def of_stream(self, stream: BufferedStream) -> Connection:
        """Return the connection that `stream` runs on. Raises StreamReset where it has ended.

        A stream can come in before the swarm has told of its connection.
        """
        inner = stream.inner.swarm_conn
        if inner is None or inner.is_closed or inner in self._closing:
            raise StreamReset("the connection has ended")
        return self.table.find(inner) or self._take_in(inner)
