"""The narrow waist between protocol drivers and whatever carries their bytes.

Drivers (bitswap today, routing and search later) know peers, streams and nothing else. Two networks
implement this: `libp2p` on real sockets, and `fake` in memory under virtual time. Keep it this narrow:
what is not needed by a driver does not belong here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import NewType, Protocol

PeerId = NewType("PeerId", str)
"""A peer's identity in its base58btc form, such as 12D3Koo…; an opaque key to every driver."""


class Stream(Protocol):
    """A bidirectional byte stream to one peer, already negotiated to one protocol.

    A stream belongs to one task for reading and one for writing. Whoever opens or is handed a stream
    ends it with aclose() or reset(), always.
    """

    @property
    def peer(self) -> PeerId: ...

    @property
    def protocol(self) -> str:
        """The protocol ID that both sides agreed upon."""

    async def receive_some(self, max_bytes: int = 262_144) -> bytes:
        """Return what has arrived, at least one byte; b"" once the peer has closed its side.

        Raises StreamReset.
        """

    async def receive_pieces(
        self, max_bytes: int, *, least: int = 1
    ) -> Sequence[bytes | bytearray | memoryview]:
        """Return what has arrived as it lies there, not joined; nothing once the peer has closed its side.

        Waits a moment for `least` bytes in all, so that the reader of something long is not woken for every
        packet of it; but neither for more than the peer may send, nor while the peer pauses.

        Raises StreamReset.
        """

    async def send_all(self, data: bytes | bytearray | memoryview, *, patience: float = inf) -> None:
        """Send all of `data`, waiting as long as the peer makes progress.

        Raises StreamStalled where the peer takes nothing for `patience` seconds, among which those do not
        count that our own line or rate limits take, StreamReset, StreamClosed.
        """

    async def aclose(self) -> None:
        """Close our side cleanly; what was sent still arrives. Never raises a TransportError."""

    async def reset(self) -> None:
        """Tear both sides down at once. Never raises a TransportError."""


StreamHandler = Callable[[Stream], Awaitable[None]]
"""Runs in a task of its own; whatever it raises costs the peer that stream and nobody else anything."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """The connection that an inbound stream came in on, which the other side made."""

    local: bytes
    """Our end of it, as a multiaddr in its bytes: behind a NAT not what was dialed."""
    remote: bytes
    """The other end."""
    since: float
    """When it was there, on trio's clock."""


class PeerListener(Protocol):
    """Is told of peers coming and going. Called synchronously; must not block."""

    def peer_connected(self, peer: PeerId) -> None: ...

    def peer_disconnected(self, peer: PeerId) -> None: ...


class Network(Protocol):
    """Connections to peers, for drivers."""

    @property
    def local_peer(self) -> PeerId: ...

    def peers(self) -> list[PeerId]:
        """Peers with at least one live connection."""

    def handle(self, protocols: Sequence[str], handler: StreamHandler) -> None:
        """Accept inbound streams of these protocols from now on."""

    def unhandle(self, protocols: Sequence[str]) -> None:
        """Accept no more of them; those that there are go on."""

    def listen_to_peers(self, listener: PeerListener) -> None:
        """Tell `listener` of every peer that connects or leaves from now on, and of those here already."""

    async def open_stream(self, peer: PeerId, protocols: Sequence[str]) -> Stream:
        """Open a stream on a live connection, preferring the protocols in the order given.

        Does not dial. Raises PeerNotConnected, ProtocolNotSupported, StreamReset.
        """
