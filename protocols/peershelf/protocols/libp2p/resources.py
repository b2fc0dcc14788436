"""How much of what one host grants to the world is in use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from peershelf.protocols.libp2p.connection import Connection
from peershelf.protocols.libp2p.limits import HostLimits
from peershelf.protocols.libp2p.transport.inbound import InboundPlaces
from peershelf.protocols.libp2p.yamux.limits import YamuxLimits
from peershelf.protocols.resources import Resource, Unit, greatest

_CONNECTIONS, _STREAMS, _BUFFERS = "connections", "streams", "yamux"


def connection_resources(
    connections: Sequence[Connection], inbound: InboundPlaces, limits: HostLimits
) -> list[Resource]:
    """Return those of sockets; inbound ones count from accept on, handshakes included."""
    most, places = limits.max_connections, inbound.fullest()
    by_peer = Counter(connection.peer for connection in connections)
    peer, of_peer = greatest(by_peer.items())
    return [
        Resource(_CONNECTIONS, "all", len(connections), most),
        Resource(_CONNECTIONS, "inbound", len(inbound), limits.max_inbound),
        Resource(_CONNECTIONS, "outbound", sum(one.is_outbound for one in connections), most),
        Resource(_CONNECTIONS, "half-open", len(inbound.half_open), limits.headroom),
        Resource(_CONNECTIONS, "of one address", places.sockets, places.share, whose=places.group),
        Resource(_CONNECTIONS, "of one peer", of_peer, limits.connections_per_peer, whose=peer),
    ]


def stream_resources(connections: Sequence[Connection], limits: HostLimits) -> list[Resource]:
    """Return those of streams, and of what has come on them and is not read."""
    loads = [connection.load for connection in connections]
    inbound, outbound = sum(load.inbound for load in loads), sum(load.outbound for load in loads)
    by_streams, streams = greatest((one.peer, one.load.inbound) for one in connections)
    by_unread, unread = greatest((one.peer, one.load.unread) for one in connections)
    return [
        Resource(_STREAMS, "all", inbound + outbound, None),
        Resource(_STREAMS, "inbound", inbound, YamuxLimits().inbound_streams_in_all),
        Resource(_STREAMS, "outbound", outbound, None),
        Resource(_STREAMS, "of one connection", streams, limits.streams_per_connection, whose=by_streams),
        Resource(
            _BUFFERS, "unread", sum(load.unread for load in loads), YamuxLimits().unread_in_all, Unit.BYTES
        ),
        Resource(_BUFFERS, "unread of one connection", unread, YamuxLimits().unread, Unit.BYTES, by_unread),
        Resource(_BUFFERS, "windows granted", sum(load.credit for load in loads), None, Unit.BYTES),
    ]
