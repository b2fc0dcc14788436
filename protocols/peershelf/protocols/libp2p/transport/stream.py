"""One TCP connection as py-libp2p's upgrade pipeline wants it."""

from __future__ import annotations

import math
import os
import select
import socket
from collections.abc import Callable
from contextlib import suppress

import trio
from libp2p.io.abc import ReadWriteCloser
from libp2p.io.exceptions import ConnectionClosedError

from peershelf.protocols.libp2p.transport.backlog import Backlog
from peershelf.protocols.libp2p.transport.half_open import Endpoint

READ_SIZE = 1_048_576
"""Most bytes of one read. What is asked for may be a length that the peer sent: it must not size a buffer."""

ABANDONED_WRITE = 0.25
"""Seconds for which a cancelled write that makes no progress is still waited for."""

_KEEPALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}


class TcpStream(ReadWriteCloser):
    """A TCP connection whose writes are whole or final.

    What is written here is already encrypted under a running counter. A write that stopped half-way would
    leave the peer unable to decrypt anything after it, on any stream; so a cancelled write is finished
    first, and where the peer takes no more bytes, the connection ends with it.

    Raises OSError from the constructor when the peer is gone already.
    """

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._when_closed: list[Callable[[], object]] = []
        self.closed = trio.Event()
        self._write_lock = trio.Lock()
        host, port = stream.socket.getpeername()[:2]
        self.remote: Endpoint = (host.partition("%")[0], port)
        """py-libp2p hands this very object up through its layers: `is` finds the stream of a connection."""
        host, port = stream.socket.getsockname()[:2]
        self.local: Endpoint = (host.partition("%")[0], port)
        """Our own end."""
        _notice_vanished_peers(stream.socket)
        self._backlog = Backlog(stream.socket)

    async def read(self, n: int | None = None) -> bytes:
        """Return up to `n` bytes; b"" at the end, also when we made it. Raises ConnectionClosedError."""
        if n == 0:
            return b""
        try:
            return bytes(await self._stream.receive_some(READ_SIZE if n is None else min(n, READ_SIZE)))
        except trio.ClosedResourceError:
            return b""
        except trio.BrokenResourceError as error:
            raise ConnectionClosedError("the TCP connection is closed", transport="tcp") from error

    @property
    def has_hung_up(self) -> bool:
        """Whether the peer has closed its side, however much of what it sent is still to be read.

        Only where the system tells, as Linux does; else False.
        """
        event = getattr(select, "POLLRDHUP", 0)
        if not event or self.closed.is_set():
            return self.closed.is_set()
        poll = select.poll()
        poll.register(self._stream.socket.fileno(), event)
        return bool(poll.poll(0))

    async def first_words(self, size: int, patience: float) -> bool:
        """Wait until the peer has sent `size` bytes or its end, `patience` seconds at most; reads nothing.

        Returns False if we have closed the socket meanwhile.
        """
        tcp = self._stream.socket
        with suppress(OSError, trio.ClosedResourceError):
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, size)
            with trio.move_on_after(patience):
                await trio.lowlevel.wait_readable(tcp)
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
        return not self.closed.is_set()

    async def write(self, data: bytes) -> None:
        """Send all of `data`; others get a turn, whatever it takes. Raises ConnectionClosedError."""
        with trio.CancelScope(shield=True):
            await self._write_lock.acquire()
        started = trio.current_time()
        try:
            await self._send_whole(memoryview(data))
            self._backlog.took(len(data), trio.current_time() - started)
            await trio.lowlevel.cancel_shielded_checkpoint()
        except (OSError, trio.ClosedResourceError) as error:
            self.kill()
            raise ConnectionClosedError("the TCP connection is closed", transport="tcp") from error
        finally:
            self._write_lock.release()

    async def _send_whole(self, rest: memoryview) -> None:
        waited_in_vain = False
        while True:
            sent = self._send_now(rest)
            rest = rest[sent:]
            if not rest:
                return
            if waited_in_vain and not sent and trio.current_effective_deadline() == -math.inf:
                self.kill()
                await trio.lowlevel.checkpoint()
            with trio.CancelScope(deadline=trio.current_time() + ABANDONED_WRITE, shield=True) as waiting:
                await self._stream.socket.wait_writable()
            waited_in_vain = waiting.cancelled_caught

    def _send_now(self, data: memoryview) -> int:
        """Give the kernel what it takes of `data` at once; return how many bytes. Raises OSError."""
        try:
            # Once the socket is closed this is -1, and no file: never the next one that got its descriptor.
            return os.write(self._stream.socket.fileno(), data)
        except BlockingIOError:
            return 0

    def when_closed(self, callback: Callable[[], object]) -> None:
        """Call `callback` once, as the socket is closed from our side, for whatever reason."""
        self._when_closed.append(callback)

    async def close(self) -> None:
        """Close the socket. Never raises, and is not a place where cancellation arrives."""
        self.kill()
        await trio.lowlevel.cancel_shielded_checkpoint()

    def kill(self) -> None:
        """Close the socket now; whoever waits on it gets ConnectionClosedError."""
        if not self.closed.is_set():
            self.closed.set()
            self._stream.socket.close()
            for callback in self._when_closed:
                callback()

    def get_remote_address(self) -> Endpoint:
        """Return the peer's IP address and port."""
        return self.remote


def _notice_vanished_peers(tcp: trio.socket.SocketType) -> None:
    """A peer that lost its power never closes its side: let the kernel find out within a minute."""
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE.items():
        if hasattr(socket, name):
            tcp.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
