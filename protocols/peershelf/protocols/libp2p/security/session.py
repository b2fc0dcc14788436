"""A secured connection, as py-libp2p wants it: a codec over a connection that carries bytes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import cast

import trio
from libp2p.abc import IRawConnection
from libp2p.connection_types import ConnectionType
from libp2p.crypto.keys import PrivateKey, PublicKey
from libp2p.peer.id import ID
from libp2p.security.base_session import BaseSession

from peershelf.protocols.libp2p.addresses import Multiaddr
from peershelf.protocols.libp2p.security.codec import Codec, Message, in_messages

MESSAGES_AT_A_TIME = 64
"""Messages that are opened before others get their turn: one can be as small as 18 bytes."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """What a handshake ended with."""

    remote_key: PublicKey
    """The key that the peer's identity is made of; it has proved that it holds it."""
    muxer: str | None
    """The stream multiplexer that was agreed upon on the way, so that it takes no round trip of its own."""
    codec: Codec

    @property
    def remote_peer(self) -> ID:
        """The peer's identity."""
        return ID.from_pubkey(self.remote_key)


class SecuredConnection(BaseSession):
    """Reads what the connection has, opens all of it, and hands it on piece by piece.

    Args:
        came: bytes that were read together with the end of the handshake.
    """

    def __init__(self, conn: IRawConnection, local_key: PrivateKey, agreed: Agreed, came: bytes) -> None:
        super().__init__(
            local_peer=ID.from_pubkey(local_key.get_public_key()),
            local_private_key=local_key,
            remote_peer=agreed.remote_peer,
            remote_permanent_pubkey=agreed.remote_key,
            is_initiator=conn.is_initiator,
        )
        self.early_muxer = agreed.muxer
        """The multiplexer that the handshake agreed upon, None where that is still to be done."""
        self.negotiated_security_protocol: str | None = None
        """The channel's protocol ID; this is where py-libp2p looks for it."""
        self._conn = conn
        self._codec = agreed.codec
        self._came = came
        self._opened: deque[bytes] = deque()
        self._opening: Iterator[bytes] | None = None

    async def read(self, n: int | None = None) -> bytes:
        """Return the next piece, or up to `n` bytes of it; b"" at the end.

        Raises ForgedMessage, and what the connection raises.
        """
        if n == 0:
            return b""
        while not self._opened:
            if not await self.arrives():
                return b""
            self._opened.extend(filter(None, self.open_some()))
        piece = self._opened.popleft()
        if n is not None and len(piece) > n:
            self._opened.appendleft(piece[n:])
            return piece[:n]
        return piece

    async def arrives(self) -> bool:
        """Wait until something has come; False at the end. Raises what the connection raises."""
        if self._opening is not None or self._opened:
            await trio.lowlevel.checkpoint()
        else:
            sealed = self._came or await self._conn.read()
            self._came = b""
            if not sealed:
                return False
            self._opening = iter(self._codec.open(sealed))
        return True

    def open_some(self) -> list[bytes]:
        """Return what a few messages carry of what has come; some may be empty. Raises ForgedMessage."""
        pieces = list(self._opened)
        self._opened.clear()
        if self._opening is not None:
            opened = list(islice(self._opening, MESSAGES_AT_A_TIME))
            if len(opened) < MESSAGES_AT_A_TIME:
                self._opening = None
            pieces += opened
        return pieces

    def put_back(self, data: bytes) -> None:
        """Let what was read too much be read again."""
        if data:
            self._opened.appendleft(data)

    async def write(self, data: bytes) -> None:
        """Send all of `data`. Raises what the connection raises."""
        await self.write_messages(in_messages(data))

    async def write_messages(self, messages: Iterable[Message]) -> None:
        """Send all of `messages`, with one write to the connection. Raises what the connection raises."""
        # The connection finishes what it has begun, or ends: see TcpStream.
        await self._conn.write(cast(bytes, self._codec.seal(messages)))

    async def close(self) -> None:
        """Close the connection."""
        await self._conn.close()

    @property
    def has_hung_up(self) -> bool:
        """Whether the peer is known to have closed its side, whatever is still to be read."""
        return bool(getattr(getattr(self._conn, "stream", None), "has_hung_up", False))

    def get_transport_addresses(self) -> list[Multiaddr]:
        """Return what the connection says."""
        return self._conn.get_transport_addresses()

    def get_connection_type(self) -> ConnectionType:
        """Return what the connection says."""
        return self._conn.get_connection_type()

    def get_remote_address(self) -> tuple[str, int] | None:
        """Return the peer's IP address and port."""
        return self._conn.get_remote_address()
