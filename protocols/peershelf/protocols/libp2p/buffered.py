"""A py-libp2p stream that takes few reads to negotiate."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from libp2p.abc import INetStream
from libp2p.custom_types import TProtocol
from libp2p.network.stream.net_stream import NetStream

from peershelf.protocols.libp2p.read_ahead import ReadAhead
from peershelf.protocols.libp2p.yamux.driver import YamuxConnection

T = TypeVar("T")


class BufferedStream(INetStream):
    """Reads ahead until its protocol is set, and only passes on from then on.

    It then reads past the NetStream, which drops what has arrived as soon as the connection ends.
    """

    def __init__(self, inner: NetStream) -> None:
        self.inner = inner
        self.muxed_conn = inner.muxed_conn
        self._ahead = ReadAhead(inner)

    async def read(self, n: int | None = None) -> bytes:
        """Return up to `n` bytes. Raises MessageTooLarge after MAX_NEGOTIATION bytes without a protocol.

        Once that is set, raises what the muxer's stream does: MuxedStreamEOF, MuxedStreamReset.
        """
        if self.get_protocol() is None:
            return await self._ahead.read(n)
        return self._ahead.take(n) or await self.inner.muxed_stream.read(n)

    async def metered(self, work: Coroutine[Any, Any, T]) -> T:
        """Await what is done for this stream, at the cost of the peer: see YamuxConnection."""
        assert isinstance(self.muxed_conn, YamuxConnection), "ChosenMuxer builds no others"
        return await self.muxed_conn.metered(work)

    @property
    def ahead(self) -> int:
        """Bytes that were read during the negotiation and belong to the protocol."""
        return len(self._ahead)

    def take_ahead(self, most: int) -> bytes:
        """Remove and return up to `most` of these bytes; b"" if there are none."""
        return self._ahead.take(most)

    async def write(self, data: bytes) -> None:
        """Send all of `data`. Raises MessageTooLarge after MAX_ANSWERS writes without a protocol."""
        await (self._ahead if self.get_protocol() is None else self.inner).write(data)

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
