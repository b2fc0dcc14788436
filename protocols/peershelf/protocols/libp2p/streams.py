"""Yamux streams, with a protocol agreed upon, as `transport.Stream`.

Everything that is raised beneath becomes one of our own errors. It is caught as Exception, because besides
its own family py-libp2p lets KeyError, RuntimeError, OSError and more through, depending on what broke where.
"""

from __future__ import annotations

from contextlib import suppress
from math import inf
from typing import Protocol

import trio
from libp2p.stream_muxer.exceptions import MuxedStreamEOF

from peershelf.protocols.errors import StreamClosed, StreamReset, StreamStalled
from peershelf.protocols.libp2p.buffered import BufferedStream
from peershelf.protocols.libp2p.hardening import RESET_PATIENCE, shielded
from peershelf.protocols.libp2p.limits import HostLimits
from peershelf.protocols.libp2p.yamux.buffer import Piece
from peershelf.protocols.libp2p.yamux.muxed_stream import YamuxStream
from peershelf.protocols.traffic import Flow
from peershelf.protocols.transport import PeerId, Stream


class StreamOwner(Protocol):
    """The connection that a stream belongs to."""

    def start_linger(self, stream: Libp2pStream) -> None:
        """Our side is closed and the peer's is not: run `stream.linger()` in the background."""

    def forget(self, stream: Libp2pStream) -> None:
        """Both sides have ended. May be called more than once."""


class Libp2pStream(Stream):
    """A negotiated stream on a py-libp2p connection.

    A receive_some() that is cancelled has taken nothing. What arrived before the connection ended is still
    received after that; only then comes StreamReset.
    """

    def __init__(
        self, inner: BufferedStream, peer: PeerId, owner: StreamOwner, limits: HostLimits, flow: Flow
    ) -> None:
        assert isinstance(inner.inner.muxed_stream, YamuxStream), "ChosenMuxer builds no others"
        self._inner = inner
        self._muxed = inner.inner.muxed_stream
        self._peer = peer
        self._owner = owner
        self._limits = limits
        self._flow = flow
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
        return b"".join(await self.receive_pieces(max_bytes))

    async def receive_pieces(self, max_bytes: int, *, least: int = 1) -> list[Piece]:
        """Return what has arrived as it lies there; nothing once the peer has closed its side.

        Waits a moment for `least` bytes: see transport.Stream. Where a rate holds us up, that gathers them.
        Raises StreamReset.
        """
        if self._ended:
            await trio.lowlevel.checkpoint()
            return []
        try:
            pieces = await self._receive(max_bytes, least)
        except MuxedStreamEOF:
            self._ended = True
            return []
        except Exception as error:
            raise StreamReset("the stream was reset") from error
        self._flow.received(_size(pieces))
        return pieces

    async def _receive(self, max_bytes: int, least: int) -> list[Piece]:
        lane = self._flow.down
        if lane is None:
            return await self._read(max_bytes, least)
        # What is left unread gives the peer no credit, so it is the peer that waits in the end.
        waiting = self._inner.ahead or await self._muxed.readable()
        allowed = await lane.admit(min(max_bytes, waiting))
        pieces: list[Piece] = []
        try:
            pieces = await self._read(allowed)
        finally:
            lane.give_back(allowed - _size(pieces))
        return pieces

    async def _read(self, most: int, least: int = 1) -> list[Piece]:
        ahead = self._inner.take_ahead(most)
        return [ahead] if ahead else await self._muxed.read_pieces(most, least)

    async def send_all(self, data: bytes | bytearray | memoryview, *, patience: float = inf) -> None:
        """Send all of `data`, waiting as long as the peer makes progress.

        Raises StreamStalled where the peer grants no credit for `patience` seconds, or for
        `HostLimits.stalled_write`; time spent waiting for our own rate limits does not count. Raises
        StreamReset, StreamClosed.
        """
        if self._closed:
            raise StreamClosed("our side of the stream is closed")
        patience = min(patience, self._limits.stalled_write)
        rest = _unchanging(data)
        while rest:
            sent = await self._send_some(rest, patience)
            self._flow.sent(sent)
            rest = rest[sent:]

    async def _send_some(self, data: memoryview, patience: float) -> int:
        """Send the beginning of `data` as our limits allow; return how many bytes. Raises StreamReset."""
        lane = self._flow.up
        if lane is None:
            return await self._write(data, patience)
        allowed = await lane.admit(len(data))
        sent = 0
        try:
            sent = await self._write(data[:allowed], patience)
        finally:
            lane.give_back(allowed - sent)
        return sent

    async def _write(self, data: memoryview, patience: float) -> int:
        """Send the beginning of `data`; return how many bytes. Raises StreamReset."""
        with trio.move_on_after(patience):
            try:
                return await self._muxed.write_some(data)
            except Exception as error:
                raise StreamReset("the stream was reset") from error
        await self.reset()
        raise StreamStalled(f"the peer took nothing for {patience:.3g} s")

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
        if self._ended:
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
        self._ended = True
        self._owner.forget(self)
        with shielded(RESET_PATIENCE), suppress(Exception):  # a stream that cannot even be reset is gone
            await self._inner.reset()

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


def _size(pieces: list[Piece]) -> int:
    return sum(map(len, pieces))


def _unchanging(data: bytes | bytearray | memoryview) -> memoryview:
    """Return `data`, as a copy if somebody could change it while it waits to be sent."""
    view = memoryview(data)
    return view if isinstance(view.obj, bytes) else memoryview(bytes(view))
