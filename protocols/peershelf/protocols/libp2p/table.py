"""All live connections by peer: who came, who left, and which of several is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import structlog
from libp2p.network.connection.swarm_connection import SwarmConn

from peershelf.protocols.errors import PeerNotConnected
from peershelf.protocols.libp2p.connection import Connection
from peershelf.protocols.libp2p.duplicates import is_smaller, kept
from peershelf.protocols.transport import PeerId, PeerListener

log = structlog.get_logger(__name__)


class ConnectionTable:
    """Live connections; tells its listeners exactly once of each peer that comes and of each that leaves.

    Args:
        local: our own peer ID, which has a say in which of a peer's connections is kept.
    """

    def __init__(self, local: PeerId) -> None:
        self._local = local
        self._by_peer: dict[PeerId, list[Connection]] = {}
        self._by_inner: dict[SwarmConn, Connection] = {}
        self._listeners: list[PeerListener] = []

    def __iter__(self) -> Iterator[Connection]:
        return iter(list(self._by_inner.values()))

    def __len__(self) -> int:
        """Count the connections."""
        return len(self._by_inner)

    def find(self, inner: SwarmConn) -> Connection | None:
        """Return what is known of a connection of the swarm."""
        return self._by_inner.get(inner)

    def __contains__(self, peer: object) -> bool:
        return peer in self._by_peer

    def peers(self) -> list[PeerId]:
        """Return the peers with at least one live connection."""
        return list(self._by_peer)

    def of(self, peer: PeerId) -> list[Connection]:
        """Return the peer's connections, oldest first. Raises PeerNotConnected."""
        if peer not in self._by_peer:
            raise PeerNotConnected(f"not connected to {peer}")
        return list(self._by_peer[peer])

    def best(self, peer: PeerId) -> Connection:
        """Return the peer's connection for new streams: the one that is kept. Raises PeerNotConnected."""
        live = [connection for connection in self.of(peer) if not connection.inner.is_closed]
        if not live:
            raise PeerNotConnected(f"not connected to {peer}")
        return live[0] if len(live) == 1 else kept(live, ours_first=self.ours_first(peer))

    def superseded(self, peer: PeerId) -> list[Connection]:
        """Return the peer's connections that another one takes the place of, oldest first."""
        live = [one for one in self._by_peer.get(peer, ()) if not one.inner.is_closed]
        if len(live) < 2:
            return []
        stays = kept(live, ours_first=self.ours_first(peer))
        return [one for one in live if one is not stays]

    def ours_first(self, peer: PeerId) -> bool:
        """Tell whether our peer ID is smaller than the peer's."""
        return is_smaller(self._local, peer)

    def listen(self, listener: PeerListener) -> None:
        """Tell `listener` of the peers that are here, and of all that come and leave from now on."""
        self._listeners.append(listener)
        for peer in self.peers():
            _tell(listener.peer_connected, peer)

    def add(self, connection: Connection) -> None:
        """A connection has come up."""
        self._by_inner[connection.inner] = connection
        peer = connection.peer
        connections = self._by_peer.setdefault(peer, [])
        connections.append(connection)
        if len(connections) == 1:
            for listener in self._listeners:
                _tell(listener.peer_connected, peer)

    def remove(self, connection: Connection) -> None:
        """A connection has ended. To say so twice does no harm."""
        if self._by_inner.get(connection.inner) is not connection:
            return
        del self._by_inner[connection.inner]
        peer = connection.peer
        connections = self._by_peer[peer]
        connections.remove(connection)
        if not connections:
            del self._by_peer[peer]
            for listener in self._listeners:
                _tell(listener.peer_disconnected, peer)


def _tell(callback: Callable[[PeerId], None], peer: PeerId) -> None:
    try:
        callback(peer)
    except Exception:  # one listener's bug must not keep the news from the others, nor end the host
        log.exception("a peer listener failed", peer=peer)
