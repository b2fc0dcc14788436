"""One stream as py-libp2p wants it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio
from libp2p.abc import IMuxedStream
from libp2p.stream_muxer.exceptions import MuxedStreamClosed, MuxedStreamEOF, MuxedStreamReset

from peershelf.protocols.libp2p.yamux.bell import Bell
from peershelf.protocols.libp2p.yamux.buffer import Piece
from peershelf.protocols.libp2p.yamux.stream import Side, Stream

if TYPE_CHECKING:
    from peershelf.protocols.libp2p.yamux.driver import YamuxConnection

GATHER = 0.02
"""Seconds for which a reader that wants more at once is left to sleep though there is something to read."""
_NO_LIMIT = 1 << 62


class YamuxStream(IMuxedStream):
    """A stream of a YamuxConnection. All but `write` either happens whole or, if cancelled, not at all.

    What came before the connection ended is still read after that.
    """

    def __init__(self, conn: YamuxConnection, state: Stream) -> None:
        self.muxed_conn: YamuxConnection = conn
        self.state = state
        self.changed = Bell()
        """Rings when there may be something to read, credit to write, or an end of either."""
        self._patience = 0
        self._least = 1

    @property
    def stream_id(self) -> int:
        """The stream's number on its connection."""
        return self.state.id

    async def read(self, n: int | None = None) -> bytes:
        """Return up to `n` bytes as soon as there are any. Raises MuxedStreamEOF, MuxedStreamReset."""
        most = _NO_LIMIT if n is None or n < 0 else n
        if not most:
            await trio.lowlevel.checkpoint()
            return b""
        return b"".join(await self.read_pieces(most))

    async def read_pieces(self, most: int, least: int = 1) -> list[Piece]:
        """Return up to `most` bytes in pieces, none of them empty. Waits and raises as readable() does."""
        await self.readable(least)
        return self.muxed_conn.take(self.state, most)

    async def readable(self, least: int = 1) -> int:
        """Return how many bytes can be read as soon as there are any.

        Waits a moment for `least` of them, but for no more than half of what the peer may send until somebody
        reads, so that it need not pause. Raises as read() does.
        """
        self._least = max(1, min(least, self.state.window.allowed // 2))
        if self.has_enough:
            await trio.lowlevel.checkpoint()
        elif self._least > 1:
            await self._gather()
        self._least = 1
        while not self.state.buffer:
            self._check_receiving()
            await self._wait(self.changed)
        return len(self.state.buffer)

    @property
    def has_enough(self) -> bool:
        """Whether who reads has what it waits for, or would wait in vain."""
        return len(self.state.buffer) >= self._least or self.state.receiving is not Side.OPEN

    async def _gather(self) -> None:
        with trio.move_on_after(GATHER):
            while not self.has_enough:
                await self._wait(self.changed)

    def _check_receiving(self) -> None:
        if self.state.receiving is Side.ENDED:
            raise MuxedStreamEOF("the peer has closed its side of the stream")
        if self.state.receiving is Side.RESET:
            raise MuxedStreamReset("the stream was reset")

    async def write(self, data: bytes) -> None:
        """Send all of `data`, waiting for credit as long as it takes.

        Cancelled, it has sent a part of it, which nothing tells how long. Raises MuxedStreamClosed,
        MuxedStreamReset.
        """
        rest = memoryview(bytes(data))
        while rest:
            rest = rest[await self.write_some(rest) :]

    async def write_some(self, data: memoryview) -> int:
        """Send the beginning of `data`, which must not change any more; return how many bytes, at least one.

        Cancelled, it has sent nothing. Raises MuxedStreamClosed, MuxedStreamReset.
        """
        await trio.lowlevel.checkpoint()
        while True:
            self._check_sending()
            sent = self.muxed_conn.send(self.state, data)
            if sent:
                return sent
            await self._wait(self.muxed_conn.room if self.state.credit else self.changed)

    def _check_sending(self) -> None:
        if self.state.sending is Side.ENDED:
            raise MuxedStreamClosed("our side of the stream is closed")
        if self.state.sending is Side.RESET:
            raise MuxedStreamReset("the stream was reset")

    async def close(self) -> None:
        """End our side; what was sent still arrives, and what the peer sends can be read."""
        self.muxed_conn.finish(self.state)
        await trio.lowlevel.checkpoint()

    async def reset(self) -> None:
        """End both sides at once."""
        self.muxed_conn.reset(self.state)
        await trio.lowlevel.checkpoint()

    def set_deadline(self, ttl: int) -> None:
        """Let whoever reads or writes wait for the peer at most `ttl` seconds at a time, or for ever if 0.

        They raise trio.TooSlowError then. Raises ValueError when negative.
        """
        if ttl < 0:
            raise ValueError("a deadline cannot be negative")
        self._patience = ttl

    async def _wait(self, bell: Bell) -> None:
        if not self._patience:
            await bell.wait()
            return
        with trio.fail_after(self._patience):
            await bell.wait()

    async def __aenter__(self) -> YamuxStream:
        return self

    def get_remote_address(self) -> tuple[str, int] | None:
        """Return the peer's IP address and port."""
        return self.muxed_conn.get_remote_address()
