"""A TCP connection inside a private network, beneath the secure channel."""

from __future__ import annotations

from peershelf.protocols.libp2p.transport.over_tcp import OverTcp
from peershelf.protocols.libp2p.transport.stream import TcpStream
from peershelf.protocols.private import NotInThisNetwork, Opening, Sealing, SwarmKey

PIECE = 262_144
"""Bytes that are encrypted at a time: a third of a millisecond, then others get their turn."""


class PrivateStream(OverTcp):
    """What is read and written goes over `tcp` under the network's key. As there, writes are whole or final.

    One task reads and one writes at a time.
    """

    def __init__(self, tcp: TcpStream, key: SwarmKey) -> None:
        super().__init__(tcp)
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
