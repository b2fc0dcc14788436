"""The API's Unix socket in the repo: for commands of the same user, who may hand over open files there."""

from __future__ import annotations

import socket
from pathlib import Path

import structlog
import trio

_BACKLOG = 128

_log = structlog.get_logger(__name__)


def listen(path: Path) -> trio.SocketListener | None:
    """Listen at `path`, in place of what a daemon that was killed left there; the repo's lock is held.

    None where it cannot be had, as where the path is longer than a socket's may be: nothing depends on it.
    """
    sock = socket.socket(socket.AF_UNIX)
    try:
        path.unlink(missing_ok=True)
        sock.bind(str(path))
        # Before anybody can connect: that takes listen().
        path.chmod(0o600)
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        _log.debug("no unix socket for the api", path=str(path), reason=str(error))
        return None
    return trio.SocketListener(trio.socket.from_stdlib_socket(sock))
