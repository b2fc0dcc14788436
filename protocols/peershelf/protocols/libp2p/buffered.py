"""A py-libp2p stream that takes few reads to negotiate.

The stock negotiation reads byte by byte, for each of which the muxer grants credit in a frame of its own.
Here it reads from what has been read ahead, and the protocol gets what is left of that. It is bounded too:
the stock one takes a line of any length that the peer announces.
"""

from __future__ import annotations

from libp2p.abc import INetStream
from libp2p.custom_types import TProtocol
from libp2p.io.exceptions import MessageTooLarge
from libp2p.network.stream.net_stream import NetStream

READ_AHEAD = 4_096
MAX_NEGOTIATION = 65_536
"""Bytes that a peer may send before a protocol is agreed upon."""


class BufferedStream(INetStream):
    """Reads ahead until its protocol is set, and only passes on from then on.

    It then reads past the NetStream, which drops what has arrived as soon as the connection ends.
    """

    def __init__(self, inner: NetStream) -> None:
        self.inner = inner
        self.muxed_conn = inner.muxed_conn
        self._ahead = b""
        self._allowed = MAX_NEGOTIATION

    async def read(self, n: int | None = None) -> bytes:
        """Return up to `n` bytes. Raises MessageTooLarge after MAX_NEGOTIATION bytes without a protocol.

        Once that is set, raises what the muxer's stream does: MuxedStreamEOF, MuxedStreamReset.
        """
        if not self._ahead and self.get_protocol() is not None:
            return await self.inner.muxed_stream.read(n)
        if not self._ahead:
            await self._read_ahead()
        size = len(self._ahead) if n is None else n
        data, self._ahead = self._ahead[:size], self._ahead[size:]
        return data

    async def _read_ahead(self) -> None:
        if self._allowed <= 0:
            raise MessageTooLarge(f"{MAX_NEGOTIATION} bytes and no protocol")
        self._ahead = await self.inner.read(READ_AHEAD)
        self._allowed -= len(self._ahead)

    async def write(self, data: bytes) -> None:
        """Send all of `data`."""
        await self.inner.write(data)

    async def close(self) -> None:
        """Close our side."""
        await self.inner.close()

    async def reset(self) -> None:
        """End both sides at once."""
        await self.inner.reset()

    def get_protocol(self) -> TProtocol | None:
        """Return the protocol that was agreed upon, None before."""
        return self.inner.get_protocol()

    def set_protocol(self, protocol_id: TProtocol) -> None:
        """End the negotiation."""
        self.inner.set_protocol(protocol_id)

    def get_remote_address(self) -> tuple[str, int] | None:
        """Return the peer's IP address and port."""
        return self.inner.get_remote_address()
