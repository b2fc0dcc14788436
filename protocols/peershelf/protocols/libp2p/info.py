"""What a host tells people about its connections. Imports nothing of py-libp2p."""

from __future__ import annotations

from dataclasses import dataclass

from peershelf.protocols.transport import PeerId


@dataclass(frozen=True, slots=True)
class ConnectionInfo:
    """A snapshot of one live connection."""

    peer: PeerId
    address: str
    """The peer's side of the connection, such as /ip4/192.0.2.1/tcp/4001, without the peer ID."""
    direction: str
    """"inbound" or "outbound"."""
    security: str
    """Protocol ID of the secure channel: /noise or /tls/1.0.0."""
    muxer: str
    """Protocol ID of the multiplexer: /yamux/1.0.0."""
    opened: float
    """Unix time in seconds."""
    streams: tuple[str, ...]
    """Protocol IDs of the open streams, sorted; one entry a stream."""
    agent: str | None
    """What the peer calls its program, cut to 256 characters; None until it has identified itself."""
    protocols: tuple[str, ...]
    """Protocol IDs that the peer serves, as far as it has told."""
    latency: float | None
    """Seconds for the last ping there and back; None where there was none."""
