"""One client's connection, as Hypercorn drives it and as an answer may break it off."""

from __future__ import annotations

import contextlib
import socket

import trio

from peershelf.protocols.unsent import bound_unsent

RECEIVE_SIZE = 1 << 20
"""Bytes read from a socket at once. Hypercorn asks for 64 KiB, which costs uploads half of their speed."""

UNSENT = 1 << 20
"""Bytes that the kernel takes ahead of what the client's window has room for. With the 16 KiB that trio sets,
it takes a piece of an answer in half a dozen parts, each of which costs a turn of the event loop."""

LEAVING = 1.0
"""Seconds from a client's end of input to the connection's end."""


class Connection:
    """Stands in for the trio.SocketStream of an accepted connection."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self.socket = stream.socket
        bound_unsent(stream.socket, UNSENT)
        self.cancel_scope = trio.CancelScope()
        """Everything that this connection does runs in it."""

    async def receive_some(self, max_bytes: int) -> bytes:
        """What has arrived; b"" at the end."""
        data = await self._stream.receive_some(max(max_bytes, RECEIVE_SIZE))
        if not data:
            # Hypercorn would keep the socket of a client that has left until its idle timer runs out.
            self.cancel_scope.deadline = trio.current_time() + LEAVING
        return data

    async def send_all(self, data: bytes) -> None:
        """Send all of `data`, waiting for the client to read."""
        await self._stream.send_all(data)

    async def send_eof(self) -> None:
        """Say that nothing more will be sent."""
        await self._stream.send_eof()

    async def aclose(self) -> None:
        """Close the socket."""
        await self._stream.aclose()

    def abort(self) -> None:
        """End the connection now. What was sent still arrives; an unfinished answer shows as such."""
        self.cancel_scope.cancel()

    def disconnect(self) -> None:
        """Make a pending send fail. Hypercorn shields its sends, so that cancelling alone would wait for ever
        for a client that has stopped reading."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
