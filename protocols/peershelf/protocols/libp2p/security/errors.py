"""What a secure channel raises."""

from __future__ import annotations

from libp2p.security.exceptions import HandshakeFailure

from peershelf.protocols.errors import RemoteProtocolError


class ForgedMessage(RemoteProtocolError):
    """What came over a secured connection was not sealed by its peer, or was torn."""


class SecureHandshakeFailed(RemoteProtocolError, HandshakeFailure):
    """The other side did not prove who it is. py-libp2p knows this as a HandshakeFailure."""
