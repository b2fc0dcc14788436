"""Letting other traffic of the user's line go first.

Packets are marked with the DSCP for lower effort: routers that know it send them when there is nothing else
to send. https://www.rfc-editor.org/rfc/rfc8622
"""

from __future__ import annotations

import socket
from contextlib import suppress

import trio

_LOWER_EFFORT = 1 << 2
"""DSCP 1, above the two bits of ECN."""


def yield_to_others(tcp: trio.socket.SocketType) -> None:
    """Mark what is sent on `tcp`. Where the system does not let us, it stays as it is."""
    with suppress(OSError, AttributeError):
        if tcp.family == socket.AF_INET6:
            tcp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, _LOWER_EFFORT)
        else:
            tcp.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, _LOWER_EFFORT)
