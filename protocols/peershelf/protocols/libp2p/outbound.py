"""From an address to a connection: the stages of a dial, each of which leaves nothing behind on failure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

import trio
from libp2p.abc import ISecureConn
from libp2p.network.connection.raw_connection import RawConnection
from libp2p.network.swarm import Swarm
from libp2p.peer.id import ID

from peershelf.protocols.errors import DialFailed
from peershelf.protocols.libp2p.addresses import Multiaddr, endpoint
from peershelf.protocols.libp2p.dial_places import DialPlaces
from peershelf.protocols.libp2p.limits import HostLimits
from peershelf.protocols.libp2p.reasons import reason_of
from peershelf.protocols.libp2p.transport.tcp import Carrier, TcpTransport
from peershelf.protocols.resources import Resource
from peershelf.protocols.transport import PeerId


class Asker(Enum):
    """Who wants a connection."""

    USER = auto()
    """Somebody who waits for it: it is tried now, whatever failed before and however much is under way."""

    NODE = auto()
    """The node by itself, which has time."""


@dataclass(frozen=True, slots=True)
class Secured:
    """A peer has proved who it is; no streams yet."""

    address: Multiaddr
    peer: ID
    socket: Carrier
    conn: ISecureConn

    def discard(self) -> None:
        """Close it at once."""
        self.socket.kill()


class Outbound:
    """Opens connections, `dials` of them at a time, of which a quarter is for what users ask for.

    The swarm's `dial_addr` is not used: it does all stages in one, so that two addresses of a peer could both
    end as connections.
    """

    def __init__(self, swarm: Swarm, transport: TcpTransport, limits: HostLimits) -> None:
        self._swarm = swarm
        self._transport = transport
        for_users = max(1, limits.dials // 4)
        self._places = {
            Asker.USER: DialPlaces(for_users),
            Asker.NODE: DialPlaces(max(1, limits.dials - for_users)),
        }
        self.lookups = {asker: trio.CapacityLimiter(limits.lookups) for asker in Asker}
        """For names, whose server may be a stranger's, and silent: a look-up has a thread until it ends."""

    def resources(self) -> list[Resource]:
        """Return how many addresses are being dialed."""
        names = {Asker.USER: "asked for by users", Asker.NODE: "by the node itself"}
        return [
            Resource("dials", names[asker], places.taken, places.most)
            for asker, places in self._places.items()
        ]

    @property
    def is_private(self) -> bool:
        """Whether only peers of a private network can be reached."""
        return self._transport.is_private

    def check_filters(self, address: Multiaddr) -> None:
        """Raises DialFailed for an address that is filtered."""
        self._transport.filters.check_dial(endpoint(address)[1])

    def reason_of(self, error: Exception) -> str:
        """Return in a few words why secure() or complete() failed."""
        offered = [str(protocol) for protocol in self._swarm.upgrader.security_multistream.transports]
        return reason_of(error, offered, private=self.is_private)

    async def secure(self, address: Multiaddr, peer: PeerId, asker: Asker) -> Secured:
        """Connect and have the peer prove its identity. Raises DialFailed, and what py-libp2p raises."""
        if not self._transport.can_dial(address):
            raise DialFailed(self._transport.no_websocket)
        expected = ID.from_base58(peer)
        async with self._places[asker].place(peer):
            socket = await self._transport.connect(address)
            try:
                raw = RawConnection(socket, initiator=True)
                conn = await self._swarm.upgrader.upgrade_security(raw, True, expected)
            except BaseException:
                socket.kill()
                raise
        return Secured(address, expected, socket, conn)

    async def complete(self, secured: Secured) -> None:
        """Agree on the multiplexer and give the connection to the swarm. Raises what py-libp2p raises."""
        try:
            muxed = await self._swarm.upgrader.upgrade_connection(secured.conn, secured.peer)
            await self._swarm.add_conn(muxed, "outbound")
        except BaseException:
            secured.discard()
            raise
