"""What finding out about reachability asks of a network, besides streams."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from peershelf.protocols import transport
from peershelf.protocols.transport import Arrival, PeerId, Stream


class Network(transport.Network, Protocol):
    """Multiaddrs are in their bytes, without peer IDs."""

    def listen_addresses(self) -> Sequence[bytes]:
        """Where this node listens, as far as it knows by itself."""

    def seen_at(self, peer: PeerId) -> bytes | None:
        """Where the connection to a peer leads: that is certain. None without one."""

    def observed_by(self, peer: PeerId) -> bytes | None:
        """Where a peer says that it sees this node; nothing of it is proven. None until it has said so."""

    def protocols_of(self, peer: PeerId) -> Sequence[str]:
        """What a peer says that it serves, as far as it has said."""

    def arrival_of(self, stream: Stream) -> Arrival | None:
        """The connection of an inbound stream; None where this node made it, or it has ended."""
