"""What one host grants to the world: connections, streams, half-open sockets and time."""

from __future__ import annotations

from dataclasses import dataclass

from peershelf.protocols.errors import LocalProtocolError


@dataclass(frozen=True, slots=True)
class HostLimits:
    """Limits of one host. Times are seconds, everything else is a count.

    Raises LocalProtocolError when the water marks are the wrong way round.
    """

    low_water: int = 32
    """Connections to come back to once there were more than `high_water`."""

    high_water: int = 96
    """Connections above which idle ones that are older than `grace` are closed."""

    headroom: int = 32
    """Places above `high_water`: for inbound sockets that still shake hands, and for new connections until
    the trimming has closed idle ones. Nothing is taken beyond."""

    grace: float = 20.0
    """Age below which a connection is not closed for being one too many."""

    resting: int = 4
    """Connections that are kept though this node made them on its own and does not use them: its way back."""

    rest: float = 60.0
    """How long one beyond them is kept after its last use."""

    connections_per_peer: int = 4
    """Connections of one peer, also those that wait for their last stream; the oldest superseded one makes
    room."""

    connections_per_address: int = 16
    """Inbound sockets of one address (IPv6: one /64)."""

    connections_per_local_address: int = 128
    """The same for this machine and private networks, where many nodes may share an address."""

    outbound_reserve: int = 16
    """Places that inbound connections cannot take, for our own dials; at most half of all count."""

    drain: float = 30.0
    """How long a superseded connection may go on with the streams that it has."""

    streams_per_connection: int = 256
    """Streams that a peer may have open to us on one connection; more are reset."""

    half_open_per_address: int = 16
    """Inbound sockets of one address (IPv6: one /64) that are still shaking hands; the oldest makes room."""

    dial_timeout: float = 10.0
    """For one `connect`: name look-up, all addresses, handshakes."""

    dials: int = 32
    """Addresses that are being dialed at a time, for all peers together; more wait. A quarter of the places
    is for what users ask for."""

    lookups: int = 8
    """Names that are being looked up at a time for what the node dials by itself, and as many for users."""

    names_per_dial: int = 4
    """Names of one peer that are looked up."""

    addresses_per_dial: int = 16
    """Addresses of one peer that are tried, the best ones: who tells us of peers could name anybody's."""

    upgrade_timeout: float = 10.0
    """For the handshakes of one inbound connection."""

    handshake_share: float = 0.05
    """Part of this node's time that inbound handshakes with one address may take in the long run: about
    fifty a second. What becomes of a connection afterwards costs as much again."""

    handshakes_share: float = 0.1
    """The same for all addresses that owe some time together, in equal parts."""

    handshake_ahead: float = 0.1
    """Seconds that an address may owe before its next handshake has to wait."""

    negotiate_timeout: float = 10.0
    """For agreeing on the protocol of one stream, and for a peer's answer to identify and ping."""

    stalled_write: float = 60.0
    """A stream whose peer grants no credit for so long is reset."""

    linger: float = 10.0
    """How long a stream that we closed waits for the peer to close its side before it is reset."""

    def __post_init__(self) -> None:
        if not 0 <= self.low_water <= self.high_water:
            raise LocalProtocolError(
                f"low water must not be above high water, as {self.low_water} is above {self.high_water}"
            )

    @property
    def max_connections(self) -> int:
        """Connections, inbound and outbound together, that are never exceeded."""
        return self.high_water + self.headroom

    @property
    def max_inbound(self) -> int:
        """Inbound sockets that are never exceeded, those included that still shake hands."""
        return self.max_connections - min(self.outbound_reserve, self.max_connections // 2)
