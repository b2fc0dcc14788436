"""How much a kernel takes of a TCP connection ahead of what the peer's window has room for."""

from __future__ import annotations

import socket
from contextlib import suppress

import trio


def bound_unsent(tcp: trio.socket.SocketType, size: int) -> None:
    """Set the bound, in bytes; trio sets 16 KiB. Does nothing where there is no such bound."""
    with suppress(OSError, AttributeError):
        tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, size)
