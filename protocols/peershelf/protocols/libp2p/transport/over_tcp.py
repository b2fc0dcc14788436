"""What is written and read over a TCP connection in some form, and is else that connection."""

from __future__ import annotations

from libp2p.io.abc import ReadWriteCloser

from peershelf.protocols.libp2p.transport.half_open import Endpoint
from peershelf.protocols.libp2p.transport.stream import TcpStream


class OverTcp(ReadWriteCloser):
    """Lives and ends with `tcp`; a subclass reads and writes."""

    def __init__(self, tcp: TcpStream) -> None:
        self._tcp = tcp

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
