"""py-libp2p's streams as `transport.Stream`.

Two things are put right here that the stock muxer gets wrong: a connection that broke looks like a clean
end of its streams, and a writer without credit is failed after 5 s.

Everything that py-libp2p raises becomes one of our own errors. It is caught as Exception, because besides
its own family it lets KeyError, RuntimeError, OSError and more through, depending on what broke where.
"""

from __future__ import annotations

from typing import Protocol

import trio
from libp2p.network.stream.exceptions import StreamEOF
from libp2p.stream_muxer.yamux.yamux import YamuxStream

from peershelf.protocols.errors import StreamClosed, StreamReset
from peershelf.protocols.libp2p.buffered import BufferedStream
from peershelf.protocols.libp2p.hardening import RESET_PATIENCE, shielded
from peershelf.protocols.libp2p.limits import HostLimits
from peershelf.protocols.transport import PeerId, Stream

_CREDIT_POLL = 0.01


class StreamOwner(Protocol):
    """The connection that a stream belongs to."""

    def start_linger(self, stream: Libp2pStream) -> None:
        """Our side is closed and the peer's is not: run `stream.linger()` in the background."""

    def forget(self, stream: Libp2pStream) -> None:
        """Both sides have ended. May be called more than once."""


class Libp2pStream(Stream):
    """A negotiated stream on a py-libp2p connection.

    A receive_some() that is cancelled may have taken bytes with it: reset the stream afterwards.
    """

    def __init__(self, inner: BufferedStream, peer: PeerId, owner: StreamOwner, limits: HostLimits) -> None:
        self._inner = inner
        self._peer = peer
        self._owner = owner
        self._limits = limits
        self._protocol = str(inner.get_protocol())
        self._closed = False
        self._ended = False

    @property
    def peer(self) -> PeerId:
        """The peer at the other end, as its secure channel proved it."""
        return self._peer

    @property
    def protocol(self) -> str:
        """The protocol ID that both sides agreed upon."""
        return self._protocol

    async def receive_some(self, max_bytes: int = 262_144) -> bytes:
        """Return what has arrived, at least one byte; b"" once the peer has closed its side.

        Raises StreamReset.
        """
        if self._ended:
            await trio.lowlevel.checkpoint()
            return b""
        try:
            return await self._inner.read(max_bytes)
        except StreamEOF as error:
            if _torn(self._inner):
                raise StreamReset("the connection ended before the stream did") from error
            self._ended = True
            return b""
        except Exception as error:
            raise StreamReset("the stream was reset") from error

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send all of `data`, waiting as long as the peer makes progress.

        Raises StreamReset, also where the peer grants no credit for `HostLimits.stalled_write` seconds, and
        StreamClosed.
        """
        if self._closed:
            raise StreamClosed("our side of the stream is closed")
        rest = memoryview(data).cast("B")
        while rest:
            size = await self._credit(len(rest))
            await self._write(bytes(rest[:size]))
            rest = rest[size:]

    async def _write(self, data: bytes) -> None:
        try:
            await self._inner.write(data)
        except Exception as error:
            raise StreamReset("the stream was reset") from error

    async def _credit(self, wanted: int) -> int:
        """Wait until some of `wanted` bytes may be sent; return how many. Raises StreamReset."""
        muxed = self._inner.inner.muxed_stream
        if not isinstance(muxed, YamuxStream):
            return wanted
        give_up = trio.current_time() + self._limits.stalled_write
        while muxed.send_window <= 0 and not (muxed.closed or muxed.send_closed):
            if trio.current_time() > give_up:
                await self.reset()
                raise StreamReset(f"the peer took nothing for {self._limits.stalled_write:.0f} s")
            await trio.sleep(_CREDIT_POLL)
        return max(1, min(wanted, muxed.send_window))

    async def aclose(self) -> None:
        """Close our side cleanly; what was sent still arrives. Never raises a TransportError."""
        if self._closed:
            await trio.lowlevel.checkpoint()
            return
        self._closed = True
        try:
            await self._inner.close()
        except trio.Cancelled:
            await self._reset()
            raise
        except Exception:  # the connection is gone, and the stream with it
            self._ended = True
        if self._ended or _torn(self._inner):
            self._owner.forget(self)
        else:
            self._owner.start_linger(self)

    async def abandon(self) -> None:
        """Reset the stream unless our side was closed or reset. Never raises a TransportError."""
        if not self._closed:
            await self.reset()

    async def reset(self) -> None:
        """Tear both sides down at once. Never raises a TransportError."""
        self._closed = True
        await self._reset()

    async def _reset(self) -> None:
        try:
            with shielded(RESET_PATIENCE):
                await self._inner.reset()
        except Exception:  # a stream that cannot even be reset is gone
            self._ended = True
        self._ended = True
        self._owner.forget(self)

    async def linger(self) -> None:
        """After aclose(): wait for the peer to close its side too, dropping what it sends; else reset."""
        with trio.move_on_after(self._limits.linger):
            try:
                while await self.receive_some():
                    pass
            except StreamReset:
                pass
            self._owner.forget(self)
        if not self._ended:
            await self._reset()


def _torn(stream: BufferedStream) -> bool:
    """Tell whether the stream ended because its connection did, or by a reset."""
    conn, muxed = stream.inner.swarm_conn, stream.inner.muxed_stream
    return (conn is not None and conn.is_closed) or bool(getattr(muxed, "reset_received", False))
