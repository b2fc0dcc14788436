"""Peers and addresses."""

from __future__ import annotations

from peershelf.node.facade.core import Core
from peershelf.protocols.transport import PeerId


class NetworkAccess(Core):
    """Whom this node is connected to, and where it can be reached."""

    async def connect(self, address: str, *more: str) -> str:
        """Connect to /ip4/…/tcp/…/p2p/ID, or to one of several addresses of a peer, and return the peer ID.

        Raises DialFailed, InvalidAddress, NotOnline.
        """
        return await self.online.host.connect(address, *more)

    async def disconnect(self, peer: str) -> None:
        """Close every connection to a peer. Raises PeerNotConnected, NotOnline."""
        await self.online.host.disconnect(PeerId(peer))

    def peers(self) -> list[str]:
        """The IDs of the peers that are connected now. Raises NotOnline."""
        return list(self.online.host.peers())

    def addresses(self) -> list[str]:
        """Where this node can be reached: /ip4/…/tcp/…/p2p/ID. Empty for a node that is not online."""
        return self._online.host.addresses() if self._online else []

    def protocols(self) -> list[str]:
        """The protocol IDs that this node answers to."""
        return self._online.host.protocols() if self._online else []
