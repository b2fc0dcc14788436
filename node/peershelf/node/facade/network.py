"""Peers and addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peershelf.node import own_files
from peershelf.node.errors import NodeError, UsageError
from peershelf.node.facade.core import Core
from peershelf.node.peer_addresses import by_peer, parse_peer_address
from peershelf.node.peer_ids import is_peer_id, parse_peer_id
from peershelf.protocols.transport import PeerId

if TYPE_CHECKING:
    from peershelf.node.reachability import Reachability


class NetworkAccess(Core):
    """Whom this node is connected to, and where it can be reached."""

    async def connect(self, address: str, *more: str) -> str:
        """Connect to /ip4/…/tcp/…/p2p/ID, or to one of several addresses of a peer, and return the peer ID.

        A peer that is named by its ID alone, as /p2p/ID, is connected to where it was reached before or where
        others know it to be. Raises DialFailed, InvalidAddress, NotOnline, NodeError for one not found.
        """
        if more or not is_peer_id(address):
            return await self.online.host.connect(address, *more)
        peer = parse_peer_id(address)
        if peer == self.repo.identity.peer_id:
            raise UsageError("that is this node's own peer ID: there is nobody to connect to")
        await self.online.connect_by_id(peer)
        return peer

    async def disconnect(self, peer: str) -> None:
        """Close every connection to a peer. Raises PeerNotConnected, NotOnline."""
        await self.online.host.disconnect(PeerId(peer))

    def keep_connected(self, address: str, *more: str) -> list[str]:
        """Stay connected to the peers of these addresses until this node ends, and return their IDs.

        They are dialed in the background, however long it takes. For a peer that is kept already, these
        addresses take the place of the old ones. Raises UsageError, NotOnline.
        """
        connections = self.online.connections
        peers = by_peer(parse_peer_address(text) for text in (address, *more))
        if self.repo.identity.peer_id in peers:
            raise UsageError("that is this node's own peer ID: there is nobody to stay connected to")
        for peer, addresses in peers.items():
            connections.keep(peer, addresses)
        return list(peers)

    def release(self, peer: str) -> None:
        """Take back keep_connected() for a peer; a connection that there is stays. Raises NotOnline."""
        self.online.connections.release(PeerId(peer))

    def kept(self) -> dict[str, list[str]]:
        """The peers to which this node stays connected, with their addresses. Raises NotOnline."""
        return {str(peer): addresses for peer, addresses in self.online.connections.kept().items()}

    def peers(self) -> list[str]:
        """The IDs of the peers that are connected now. Raises NotOnline."""
        return list(self.online.host.peers())

    def addresses(self) -> list[str]:
        """Where this node can be reached: /ip4/…/tcp/…/p2p/ID. Empty for a node that is not online."""
        return self._online.host.addresses() if self._online else []

    def swarm_key_fingerprint(self) -> str | None:
        """What tells the private network that this node is in, as Kubo shows it; None where it is in none.

        Of a node that is not online: the network that it would be in. Raises ConfigError.
        """
        if self._online:
            return self._online.swarm_key_fingerprint
        return own_files.swarm_key_fingerprint(self.repo)

    def reachability(self) -> Reachability:
        """Whether the world reaches this node, and who said so. Raises NodeError where nobody is asked."""
        found = self.online.reachability
        if found is None:
            raise NodeError(
                "nobody is asked whether this node is reached: set Routing.Type to auto, "
                "and start the daemon again"
            )
        return found

    def protocols(self) -> list[str]:
        """The protocol IDs that this node answers to."""
        return self._online.host.protocols() if self._online else []
