"""Puts py-libp2p's parts together: its Swarm and Host over our transport, security and muxer.

Only public seams are used: constructors, subclasses, and attributes that py-libp2p documents.
"""

from __future__ import annotations

from collections.abc import Sequence

from libp2p.crypto.keys import KeyPair
from libp2p.host.basic_host import BasicHost
from libp2p.network.config import ConnectionConfig, RetryConfig
from libp2p.network.swarm import Swarm
from libp2p.peer.id import ID
from libp2p.peer.peerstore import PeerStore
from libp2p.transport.upgrader import TransportUpgrader

from peershelf.protocols.libp2p.hardening import QuietAutoConnector
from peershelf.protocols.libp2p.limits import HostLimits
from peershelf.protocols.libp2p.muxing import YAMUX_ID, ChosenMuxer
from peershelf.protocols.libp2p.security.offer import ChosenSecurity, secure_channels
from peershelf.protocols.libp2p.transport.handshakes import Handshakes
from peershelf.protocols.libp2p.transport.tcp import TcpTransport
from peershelf.protocols.libp2p.yamux.limits import YamuxLimits

_NEVER = 365 * 86_400.0


def build_swarm(keys: KeyPair, security: Sequence[str], transport: TcpTransport, limits: HostLimits) -> Swarm:
    """Return a swarm that is not running yet. Raises LocalProtocolError for security that is not known."""
    peer = ID.from_pubkey(keys.public_key)
    peerstore = PeerStore()
    peerstore.add_key_pair(peer, keys)
    swarm = Swarm(
        peer,
        peerstore,
        _upgrader(keys, security, limits, transport.inbound.handshakes),
        [transport],
        retry_config=RetryConfig(max_retries=0),
        connection_config=_connection_config(limits),
    )
    swarm.auto_connector = QuietAutoConnector(swarm)
    return swarm


def build_host(swarm: Swarm) -> BasicHost:
    """Return the host over `swarm`, without any protocol.

    It comes with an identify of its own, which runs in tasks that outlive it and reads without bounds: the
    listener that starts these is taken off again, and its handlers with it (see `identify.py`).
    """
    before = list(swarm.notifees)
    host = BasicHost(network=swarm, disable_identify_address_discovery=True)
    for added in [notifee for notifee in swarm.notifees if notifee not in before]:
        swarm.remove_notifee(added)
    for protocol in host.get_mux().get_protocols():
        if protocol is not None:
            host.remove_stream_handler(protocol)
    return host


def _upgrader(
    keys: KeyPair, security: Sequence[str], limits: HostLimits, handshakes: Handshakes
) -> TransportUpgrader:
    channels = secure_channels(keys, security, [YAMUX_ID])
    muxer = ChosenMuxer(limits.upgrade_timeout, YamuxLimits(inbound_streams=limits.streams_per_connection))
    upgrader = TransportUpgrader(dict(channels), muxer.transports)
    upgrader.security_multistream = ChosenSecurity(channels, limits.upgrade_timeout, handshakes.charge)
    upgrader.muxer_multistream = muxer
    return upgrader


def _connection_config(limits: HostLimits) -> ConnectionConfig:
    """The stock pruners are out of reach of their marks: `table.surplus` and `duplicates` decide who goes."""
    return ConnectionConfig(
        max_connections=limits.max_connections,
        min_connections=0,
        low_watermark=0,
        high_watermark=limits.max_connections,
        max_connections_per_peer=limits.max_connections,
        dial_timeout=limits.dial_timeout,
        inbound_upgrade_timeout=limits.upgrade_timeout,
        outbound_upgrade_timeout=limits.upgrade_timeout,
        auto_connect_interval=_NEVER,
    )
