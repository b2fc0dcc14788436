"""Handing open files to the daemon of the own repo, over its Unix socket (SCM_RIGHTS).

The daemon reads what is added from the file that the command has opened, and writes what is fetched straight
to where the command's output goes: no content passes between the two processes.
"""
# pathlib would cost a command 7 ms.
# ruff: noqa: PTH118

from __future__ import annotations

import os
import socket
import stat
from contextlib import suppress

from peershelf.node.own_user import is_own_user

TYPE_CHECKING = False
if TYPE_CHECKING:
    import io

OUTPUT_FIELD = "X-Handed-Output: 1\r\n"
"""In a request's head: the file that came with it is where the answer goes."""

_CONNECT_SECONDS = 1.0
_LETTING_GO_SECONDS = 2.0


def connect(repo: str) -> socket.socket | None:
    """A connection over which files can be handed over; None where there is none.

    Files are for a daemon of the same user alone. The socket may be left from a daemon that was killed, may
    not be there, or have too long a path.
    """
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(_CONNECT_SECONDS)
    try:
        sock.connect(os.path.join(repo, "api.sock"))
        if is_own_user(sock):
            return sock
    except OSError:
        pass
    sock.close()
    return None


def can_hand_over(sock: socket.socket | None) -> bool:
    """Whether files can be handed over on this connection."""
    return sock is not None and sock.family == socket.AF_UNIX


def is_regular(file: io.FileIO) -> bool:
    """Whether an open file can be handed over: a pipe or device could keep its reader for ever."""
    return stat.S_ISREG(os.fstat(file.fileno()).st_mode)


def send(sock: socket.socket, data: bytes | memoryview, descriptor: int) -> int:
    """Send a file with the first bytes of `data`; returns how many of those went out."""
    return socket.send_fds(sock, [data], [descriptor])


def wait_until_let_go(sock: socket.socket) -> None:
    """Tell the daemon to end, and return once it writes nothing more, or hangs."""
    with suppress(OSError):
        sock.settimeout(_LETTING_GO_SECONDS)
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(1 << 16):
            pass
