"""What a host knows of the peers that are connected, and says who of them stays."""

from __future__ import annotations

from collections.abc import Sequence

from peershelf.protocols.libp2p.connection import Connection, remote_endpoint
from peershelf.protocols.libp2p.identify import Identity
from peershelf.protocols.libp2p.info import ConnectionInfo
from peershelf.protocols.libp2p.keeper import ConnectionKeeper
from peershelf.protocols.libp2p.streams import Libp2pStream
from peershelf.protocols.libp2p.transport.tcp import TcpTransport
from peershelf.protocols.transport import Arrival, PeerId, PeerListener, Stream


class PeerAccess:
    """The part of a host that is about peers. What they say of themselves is not checked by anybody."""

    _keeper: ConnectionKeeper
    _transport: TcpTransport

    def addresses_of(self, peer: PeerId) -> list[bytes]:
        """Return where a connected peer says that it listens, as multiaddrs in bytes that nobody has checked.

        Of a peer that was dialed, the address that led to it comes first.
        """
        found: dict[bytes, None] = {}
        for connection in self._connections_of(peer):
            if connection.is_outbound:
                found[connection.remote.to_bytes()] = None
            if connection.identity is not None:
                found.update(dict.fromkeys(connection.identity.addresses))
        return list(found)

    def seen_at(self, peer: PeerId) -> bytes | None:
        """Return the other end of the connection to a peer, a multiaddr in its bytes; None without one."""
        return next((connection.remote.to_bytes() for connection in self._connections_of(peer)), None)

    def observed_by(self, peer: PeerId) -> bytes | None:
        """Return where a peer says that it sees this host, in bytes that nobody has checked."""
        identity = self._identity_of(peer)
        return identity.observed if identity is not None else None

    def protocols_of(self, peer: PeerId) -> tuple[str, ...]:
        """Return what a peer says that it serves; nothing until it has said so."""
        identity = self._identity_of(peer)
        return identity.protocols if identity is not None else ()

    async def identified(self, peer: PeerId) -> None:
        """Wait until a connected peer has said who it is, or will not; at once where none is connected."""
        for connection in self._connections_of(peer):
            if connection.identity is None:
                await connection.asked.wait()

    def _identity_of(self, peer: PeerId) -> Identity | None:
        connections = reversed(self._connections_of(peer))
        return next((one.identity for one in connections if one.identity is not None), None)

    def _connections_of(self, peer: PeerId) -> Sequence[Connection]:
        return self._keeper.table.of(peer) if peer in self._keeper.table else ()

    def arrival_of(self, stream: Stream) -> Arrival | None:
        """Return the connection of an inbound stream; None where this host dialed, or it has ended."""
        assert isinstance(stream, Libp2pStream), "handlers are given no others"
        connection = next((one for one in self._keeper.table if stream in one.streams), None)
        if connection is None or connection.is_outbound:
            return None
        socket = self._transport.find(remote_endpoint(connection.inner))
        if socket is None:
            return None
        local = connection.with_transport(socket.local)
        return Arrival(local.to_bytes(), connection.remote.to_bytes(), connection.since)

    def connections(self) -> list[ConnectionInfo]:
        """Return a snapshot of every live connection."""
        return [connection.info() for connection in self._keeper.table]

    def peers(self) -> list[PeerId]:
        """Return the peers with at least one live connection."""
        return self._keeper.table.peers()

    def protect(self, peer: PeerId, tag: str) -> None:
        """Never close connections of `peer` for being too many, until this `tag` and all others are gone."""
        self._keeper.protection.add(peer, tag)

    def unprotect(self, peer: PeerId, tag: str) -> bool:
        """Take back what protect() did; return whether another tag still protects the peer."""
        return self._keeper.protection.remove(peer, tag)

    def listen_to_peers(self, listener: PeerListener) -> None:
        """Tell `listener` of every peer that connects or leaves from now on, and of those here already."""
        self._keeper.table.listen(listener)
