"""How much the kernel may hold of a connection that it cannot send yet.

What it holds goes ahead of all that is written later, however urgent, so on a slow line that is little. On a
fast one little means that a write of a MiB is taken in half a dozen pieces, each of which costs a turn of the
event loop. So a connection that is quick to take large writes may have more waiting, until one takes long.
"""

from __future__ import annotations

import trio

from peershelf.protocols.unsent import bound_unsent

LEAST = 16_384
"""Bytes; what trio sets."""
MOST = 1_048_576
_TELLING = 65_536
"""Bytes of a write that says something about the line."""
_FAST = 50e6
"""Bytes per second: a MiB is gone within 20 ms."""
_SLOW = 0.05
"""Seconds for one write."""


class Backlog:
    """Sets the bound for one connection, by how long its writes take. Where there is no such bound, none."""

    def __init__(self, tcp: trio.socket.SocketType) -> None:
        self._tcp = tcp
        self.size = LEAST
        """Bytes that are not sent yet and with which the kernel still takes more."""

    def took(self, size: int, seconds: float) -> None:
        """A write of `size` bytes was taken, after so long."""
        if seconds > _SLOW:
            self._set(LEAST)
        elif size >= _TELLING and size > _FAST * seconds:
            self._set(MOST)

    def _set(self, size: int) -> None:
        if size == self.size:
            return
        self.size = size
        bound_unsent(self._tcp, size)
