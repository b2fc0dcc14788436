"""A kind of secure channel: how a bare connection becomes a secured one."""

from __future__ import annotations

from abc import abstractmethod

from libp2p.abc import IRawConnection, ISecureConn, ISecureTransport
from libp2p.peer.id import ID

from peershelf.protocols.libp2p.read_ahead import ReadAhead
from peershelf.protocols.libp2p.security.session import SecuredConnection


class SecureChannel(ISecureTransport):
    """Shakes hands. py-libp2p knows this as a security transport."""

    @abstractmethod
    async def secure(self, conn: IRawConnection, ahead: ReadAhead, expected: ID | None) -> SecuredConnection:
        """Return the secured connection.

        Args:
            ahead: `conn`, of which more may have been read already.
            expected: who must be there, where we dialed; None for whoever dialed us.

        Raises SecureHandshakeFailed, and PeerIDMismatchesPubkey if somebody else is there than expected.
        """

    async def secure_inbound(self, conn: IRawConnection) -> ISecureConn:
        """Return the secured connection of whoever dialed us. Raises SecureHandshakeFailed."""
        return await self.secure(conn, ReadAhead(conn), None)

    async def secure_outbound(self, conn: IRawConnection, peer_id: ID) -> ISecureConn:
        """Return the secured connection to `peer_id`.

        Raises SecureHandshakeFailed, and PeerIDMismatchesPubkey if somebody else is there.
        """
        return await self.secure(conn, ReadAhead(conn), peer_id)
