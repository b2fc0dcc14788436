"""A TCP connection inside a private network, beneath the secure channel."""

from __future__ import annotations

from libp2p.io.abc import ReadWriteCloser

from peershelf.protocols.libp2p.transport.half_open import Endpoint
from peershelf.protocols.libp2p.transport.stream import TcpStream
from peershelf.protocols.private import NotInThisNetwork, Opening, Sealing, SwarmKey

PIECE = 262_144
"""Bytes that are encrypted at a time: a third of a millisecond, then others get their turn."""


class PrivateStream(ReadWriteCloser):
    """What is read and written goes over `tcp` under the network's key. As there, writes are whole or final.

    One task reads and one writes at a time.
    """

    def __init__(self, tcp: TcpStream, key: SwarmKey) -> None:
        self._tcp = tcp
        self._sealing = Sealing(key)
        self._opening = Opening(key)

    async def read(self, n: int | None = None) -> bytes:
        """Return up to `n` bytes; b"" at the end, also when we made it.

        Raises ConnectionClosedError, and NotInThisNetwork as soon as the other side has shown it.
        """
        if n == 0:
            return b""
        most = PIECE if n is None else min(n, PIECE)
        while data := await self._tcp.read(most + self._opening.missing):
            try:
                opened = self._opening.open(data)
            except NotInThisNetwork:
                self.kill()
                raise
            if opened:
                return opened
        return b""

    async def write(self, data: bytes) -> None:
        """Send all of `data`. Raises ConnectionClosedError."""
        whole = memoryview(data)
        for start in range(0, len(whole), PIECE):
            # What is sealed must be sent: TcpStream sends it, or ends.
            await self._tcp.write(self._sealing.seal(whole[start : start + PIECE]))

    async def close(self) -> None:
        """Close the socket. Never raises, and is not a place where cancellation arrives."""
        await self._tcp.close()

    def kill(self) -> None:
        """Close the socket now; whoever waits on it gets ConnectionClosedError."""
        self._tcp.kill()

    @property
    def has_hung_up(self) -> bool:
        """Whether the peer has closed its side."""
        return self._tcp.has_hung_up

    def get_remote_address(self) -> Endpoint:
        """Return the peer's IP address and port: the very object that is `TcpStream.remote`."""
        return self._tcp.remote
