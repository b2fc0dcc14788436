"""The libp2p host of a node: `transport.Network` on real sockets."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import trio
from libp2p.abc import INetStream
from libp2p.custom_types import TProtocol

from peershelf.protocols.errors import DialFailed, InvalidAddress, StreamReset, TransportError
from peershelf.protocols.filters import AddressFilters, Mask
from peershelf.protocols.libp2p.addresses import (
    Multiaddr,
    Target,
    parse_listen,
    parse_target,
    usable_targets,
)
from peershelf.protocols.libp2p.buffered import BufferedStream
from peershelf.protocols.libp2p.connection import Connection, ConnectionHandler
from peershelf.protocols.libp2p.dialing import Dialer
from peershelf.protocols.libp2p.events import ConnectionEvents
from peershelf.protocols.libp2p.hardening import ContainedStreams
from peershelf.protocols.libp2p.identify import IDENTIFY, IDENTIFY_PUSH
from peershelf.protocols.libp2p.identify_service import IdentifyService
from peershelf.protocols.libp2p.keeper import ConnectionKeeper
from peershelf.protocols.libp2p.keys import key_pair
from peershelf.protocols.libp2p.limits import HostLimits
from peershelf.protocols.libp2p.outbound import Asker, Outbound
from peershelf.protocols.libp2p.own_addresses import OwnAddresses
from peershelf.protocols.libp2p.peer_access import PeerAccess
from peershelf.protocols.libp2p.ping import PING, answer_pings, round_trip
from peershelf.protocols.libp2p.pushing import IdentifyPusher
from peershelf.protocols.libp2p.resources import connection_resources, stream_resources
from peershelf.protocols.libp2p.security.offer import DEFAULT_SECURITY
from peershelf.protocols.libp2p.service import keep_running, listen
from peershelf.protocols.libp2p.stack import build_host, build_swarm
from peershelf.protocols.libp2p.transport.tcp import TcpTransport
from peershelf.protocols.private import SwarmKey
from peershelf.protocols.resources import Resource
from peershelf.protocols.traffic import Rates, Traffic
from peershelf.protocols.transport import Network, PeerId, Stream, StreamHandler

# py-libp2p's logger has no handler and does not propagate, so Python would print its warnings to stderr.
logging.getLogger("libp2p").addHandler(logging.NullHandler())


class Libp2pNetwork(PeerAccess, Network):
    """Connections, streams and peers over TCP with Noise or TLS and Yamux.

    Register handlers and listeners, then run() it; it runs once.

    Args:
        private_key: Ed25519 seed, 32 bytes.
        listen: multiaddrs, such as /ip4/0.0.0.0/tcp/4001; port 0 takes a free one.
        agent: how this program is called towards peers, such as peershelf/1.2.3.
        security: secure channels to offer, the preferred one first: "noise", "tls".
        rates: how fast to send and receive at most.
        websocket: whether to dial and listen on addresses with /ws; never in a private network.
        key: that of a private network: connections are to peers that have it, too, and to nobody else.
        filters: addresses that are neither dialed nor taken in from.

    Raises LocalProtocolError, of which InvalidAddress is one.
    """

    def __init__(
        self,
        *,
        private_key: bytes,
        listen: Sequence[str],
        agent: str,
        security: Sequence[str] = DEFAULT_SECURITY,
        limits: HostLimits | None = None,
        rates: Rates | None = None,
        websocket: bool = False,
        key: SwarmKey | None = None,
        filters: Sequence[Mask] = (),
    ) -> None:
        keys = key_pair(private_key)
        self._limits = limits or HostLimits()
        rates = rates or Rates()
        self.traffic = Traffic(rates)
        """What goes over the streams of this host."""
        self._listen = [parse_listen(address) for address in listen]
        self._transport = TcpTransport(
            self._limits,
            low_priority=rates.low_priority,
            websocket=websocket,
            key=key,
            filters=AddressFilters(filters),
        )
        if off := [address for address in self._listen if not self._transport.can_listen(address)]:
            raise InvalidAddress(f"{off[0]} cannot be listened on: {self._transport.no_websocket}")
        self._swarm = build_swarm(keys, security, self._transport, self._limits)
        self._mux = build_host(self._swarm).get_mux()
        self._own = OwnAddresses(self._swarm)
        identify = IdentifyService(keys.public_key.serialize(), agent, self._own.known, self.protocols)
        self._keeper = ConnectionKeeper(
            self._swarm, self._transport, self._limits, identify.ask, self.traffic
        )
        self._pusher = IdentifyPusher(lambda: list(self._keeper.table), identify.push)
        self._outbound = Outbound(self._swarm, self._transport, self._limits)
        self._dialer = Dialer(self._outbound, self._limits, self._keeper.check_room)
        self._serve(IDENTIFY, identify.answer, metered=True)
        self._serve(IDENTIFY_PUSH, identify.take_push, metered=True)
        self._serve(PING, lambda conn, stream: answer_pings(stream, conn.rest), metered=True)
        self._attach()

    def _attach(self) -> None:
        contained = ContainedStreams(self._mux, self._limits.negotiate_timeout)
        self._swarm.set_stream_handler(contained)
        self._swarm.register_notifee(ConnectionEvents(self._keeper.connected))

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run until cancelled; started once every address is listened on.

        When cancelled it tells its peers, closes every socket and returns within a second. Raises
        TransportError when an address cannot be listened on.
        """
        failure: TransportError | None = None
        stop = trio.Event()
        async with trio.open_nursery() as nursery:
            # Cancelled half-way, this would wait for a task that only `stop` ends, and be the one to set it.
            with trio.CancelScope(shield=True):
                await nursery.start(keep_running, self._swarm, self._transport, stop)
            try:
                self._keeper.start(nursery)
                nursery.start_soon(self._pusher.run)
                await listen(self._swarm, self._listen)
                task_status.started()
                await trio.sleep_forever()
            except TransportError as error:
                failure = error
            finally:
                stop.set()
                self._keeper.stop()
                nursery.cancel_scope.cancel()
        if failure is not None:
            raise failure

    async def connect(self, address: str, *more: str) -> PeerId:
        """Connect to the peer that every address given names, unless there is a connection already.

        For what a user asks for: it is tried now, however often it has failed, and trimmed last.

        Raises InvalidAddress, also for this node itself, and DialFailed, whose text is one line with the
        reason for each address that was tried.
        """
        targets = [self._parse_target(text) for text in (address, *more)]
        peer = targets[0].peer
        if any(target.peer != peer for target in targets):
            raise InvalidAddress("the addresses name more than one peer: connect to one after the other")
        await self._dial(peer, targets, Asker.USER)
        self._keeper.want(peer)
        return peer

    async def connect_at(self, peer: PeerId, addresses: Sequence[str]) -> None:
        """As connect(), at addresses that are not the user's, so that their form is that for reach()."""
        if peer not in self._keeper.table:
            await self._dial(peer, self._usable(peer, addresses), Asker.USER)
        self._keeper.want(peer)

    def _parse_target(self, address: str) -> Target:
        target = parse_target(address)
        if str(target.where).endswith("/ws") and not self._transport.speaks_websocket:
            raise InvalidAddress(f"{target.where} cannot be dialed: {self._transport.no_websocket}")
        return target

    async def reach(self, peer: PeerId, addresses: Sequence[str]) -> None:
        """Connect to `peer`, unless connected, at whichever of its `addresses` answers first.

        For what the node does on its own: addresses that failed lately have a pause before they are dialed
        again. Those that cannot be dialed at all are left out, and the peer ID at their end may be missing.

        Raises DialFailed, DialedTooSoon when all have a pause, and InvalidAddress for this node itself.
        """
        await self._dial(peer, self._usable(peer, addresses), Asker.NODE)

    def _usable(self, peer: PeerId, addresses: Sequence[str]) -> Sequence[Target]:
        targets = usable_targets(peer, addresses)
        if not targets:
            raise DialFailed(f"{peer} has no address that can be dialed")
        return targets

    async def _dial(self, peer: PeerId, targets: Sequence[Target], asker: Asker) -> None:
        if peer == self.local_peer:
            raise InvalidAddress("that is this node's own peer ID: there is nobody to connect to")
        self._keeper.check_running()
        await self._dialer.dial(targets, lambda: peer in self._keeper.table, asker)

    async def disconnect(self, peer: PeerId) -> None:
        """Close all connections to `peer`. Raises PeerNotConnected."""
        for connection in self._keeper.table.of(peer):
            self._keeper.close(connection)
        await trio.lowlevel.checkpoint()

    def filters(self) -> list[Mask]:
        """Return the masks of addresses that are neither dialed nor taken in from."""
        return list(self._transport.filters)

    def add_filters(self, masks: Sequence[Mask]) -> None:
        """Filter what is in `masks`, too: what is open to it is closed, connections and handshakes alike."""
        self._transport.filters.add(masks)
        for connection in self._keeper.table:
            if any(connection.remote_host in mask for mask in masks):
                self._keeper.close(connection)
        self._transport.kill_within(masks)

    def remove_filters(self, masks: Sequence[Mask]) -> None:
        """Filter what is in `masks` no longer. Nobody is dialed for it."""
        self._transport.filters.remove(masks)

    async def ping(self, peer: PeerId) -> float:
        """Return the seconds that a ping to `peer` took there and back.

        Raises PeerNotConnected, ProtocolNotSupported, StreamReset, RemoteProtocolError.
        """
        connection = self._keeper.table.best(peer)
        stream = await connection.open_stream([PING])
        try:
            with trio.fail_after(self._limits.negotiate_timeout):
                connection.latency = await round_trip(stream)
        except trio.TooSlowError as error:
            raise StreamReset(f"no answer within {self._limits.negotiate_timeout:.3g} s") from error
        finally:
            await stream.aclose()
        return connection.latency

    @property
    def local_peer(self) -> PeerId:
        """This node's identity."""
        return PeerId(str(self._swarm.get_peer_id()))

    def addresses(self) -> list[str]:
        """Return where this host can be dialed, with the peer ID; wildcards stand for each interface."""
        return [f"{address}/p2p/{self.local_peer}" for address in self._own.known()]

    def own_addresses(self) -> list[bytes]:
        """Return what addresses() does, as multiaddrs in their bytes, without the peer ID."""
        return [address.to_bytes() for address in self._own.known()]

    def listen_addresses(self) -> list[bytes]:
        """Return where this host listens, likewise, and nothing that it was told to announce()."""
        return [address.to_bytes() for address in self._own.listening()]

    def announce(self, addresses: Sequence[bytes]) -> None:
        """Tell others of these addresses, too, and of those of earlier calls no longer.

        They are multiaddrs in their bytes, without the peer ID. Connected peers are told at once.
        """
        if self._own.announce([Multiaddr(address) for address in addresses]):
            self._pusher.changed()

    def resources(self) -> list[Resource]:
        """Return how much is in use of what this host grants."""
        connections = list(self._keeper.table)
        return [
            *connection_resources(connections, self._transport.inbound, self._limits),
            *self._outbound.resources(),
            *stream_resources(connections, self._limits),
        ]

    def protocols(self) -> list[str]:
        """Return the protocol IDs that this host serves, sorted."""
        return sorted(str(protocol) for protocol in self._mux.get_protocols() if protocol is not None)

    def handle(self, protocols: Sequence[str], handler: StreamHandler) -> None:
        """Accept inbound streams of these protocols from now on; peers are told."""

        async def of_any_connection(_: Connection, stream: Stream) -> None:
            await handler(stream)

        for protocol in protocols:
            self._serve(protocol, of_any_connection)
        self._pusher.changed()

    def unhandle(self, protocols: Sequence[str]) -> None:
        """Accept no more of them; peers are told, and streams that there are go on."""
        for protocol in protocols:
            self._mux.remove_handler(TProtocol(protocol))
        self._pusher.changed()

    def _serve(self, protocol: str, handler: ConnectionHandler, *, metered: bool = False) -> None:
        """Serve a protocol; `metered` is what has no accounts of its own of who makes how much work."""

        async def serve(stream: INetStream) -> None:
            assert isinstance(stream, BufferedStream), "ContainedStreams wraps every inbound stream"
            served = self._keeper.of_stream(stream).serve(stream, handler)
            await (stream.metered(served) if metered else served)

        self._mux.add_handler(TProtocol(protocol), serve)

    async def open_stream(self, peer: PeerId, protocols: Sequence[str]) -> Stream:
        """Open a stream on a live connection, preferring the protocols in the order given.

        Does not dial. Raises PeerNotConnected, ProtocolNotSupported, StreamReset.
        """
        return await self._keeper.table.best(peer).open_stream(protocols)
