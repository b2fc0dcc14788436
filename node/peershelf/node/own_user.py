"""Who is at the other end of a Unix socket. Light, since commands of the command line ask it too."""

from __future__ import annotations

import os
import socket
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class _Socket(Protocol):
        def getsockopt(self, level: int, option: int, size: int, /) -> bytes: ...


_PEER = struct.Struct("3i")


def is_own_user(sock: _Socket) -> bool:
    """Whether a process of this user is at the other end; True where the system does not tell."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    _, user, _ = _PEER.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
    return bool(user == os.geteuid())
