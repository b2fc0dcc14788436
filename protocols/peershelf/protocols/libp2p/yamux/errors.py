"""What a peer can do wrong on a Yamux connection."""

from __future__ import annotations

from peershelf.protocols.errors import RemoteProtocolError


class YamuxViolation(RemoteProtocolError):
    """A peer sent what /yamux/1.0.0 does not allow; the connection ends, and no other one with it."""
