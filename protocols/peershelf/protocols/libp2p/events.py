"""py-libp2p's network events, of which one is of interest."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from libp2p.abc import INetConn, INetStream, INetwork, INotifee
from libp2p.network.connection.swarm_connection import SwarmConn

from peershelf.protocols.libp2p.addresses import Multiaddr


class ConnectionEvents(INotifee):
    """Tells of each connection that the swarm has set up.

    Its end is not taken from here: the swarm tells of that 0.2 s late, and where it is being cancelled not
    at all. `SwarmConn.event_closed` is set first of all, whoever ends the connection.
    """

    def __init__(self, on_connected: Callable[[SwarmConn], None]) -> None:
        self._on_connected = on_connected

    async def connected(self, network: INetwork, conn: INetConn) -> None:
        """Pass the connection on."""
        self._on_connected(cast(SwarmConn, conn))

    async def disconnected(self, network: INetwork, conn: INetConn) -> None:
        """Not needed."""

    async def opened_stream(self, network: INetwork, stream: INetStream) -> None:
        """Not needed."""

    async def closed_stream(self, network: INetwork, stream: INetStream) -> None:
        """Not needed."""

    async def listen(self, network: INetwork, multiaddr: Multiaddr) -> None:
        """Not needed."""

    async def listen_close(self, network: INetwork, multiaddr: Multiaddr) -> None:
        """Not needed."""
