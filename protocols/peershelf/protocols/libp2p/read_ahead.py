"""Reads in few reads where a protocol is agreed upon byte by byte."""

from __future__ import annotations

from libp2p.io.abc import ReadWriteCloser
from libp2p.io.exceptions import IncompleteReadError, MessageTooLarge

READ_AHEAD = 4_096
"""Bytes of one read. py-libp2p gives up a line after a hundred reads: a second bound of its length."""
MAX_NEGOTIATION = 65_536
"""Bytes that a peer may send before everything is agreed upon."""
MAX_ANSWERS = 64
"""Writes of ours before that: an empty proposal costs its sender two bytes, and us a frame."""


class ReadAhead(ReadWriteCloser):
    """A connection or stream of which more has been read than was asked for.

    The stock negotiation reads byte by byte, and takes a line of any length that the peer announces. Here it
    reads from what came with one read, and no more than MAX_NEGOTIATION bytes in all.
    """

    def __init__(self, inner: ReadWriteCloser) -> None:
        self._inner = inner
        self._ahead = b""
        self._allowed = MAX_NEGOTIATION
        self._answers = 0

    def __len__(self) -> int:
        """Bytes that were read ahead and are not used up."""
        return len(self._ahead)

    async def read(self, n: int | None = None) -> bytes:
        """Return up to `n` bytes; b"" at the end. Raises MessageTooLarge after MAX_NEGOTIATION bytes."""
        if not self._ahead:
            if self._allowed <= 0:
                raise MessageTooLarge(f"{MAX_NEGOTIATION} bytes and nothing agreed upon")
            self._ahead = await self._inner.read(READ_AHEAD)
            self._allowed -= len(self._ahead)
        return self.take(n)

    async def read_exactly(self, size: int) -> bytes:
        """Return `size` bytes. Raises IncompleteReadError when the connection ends before."""
        data = bytearray()
        while len(data) < size:
            piece = await self.read(size - len(data))
            if not piece:
                raise IncompleteReadError("the connection ended", size, len(data))
            data += piece
        return bytes(data)

    def take(self, most: int | None = None) -> bytes:
        """Remove and return up to `most` bytes of what has been read ahead; b"" if there are none."""
        size = len(self._ahead) if most is None else most
        data, self._ahead = self._ahead[:size], self._ahead[size:]
        return data

    async def write(self, data: bytes) -> None:
        """Send all of `data`. Raises MessageTooLarge after MAX_ANSWERS writes."""
        self._answers += 1
        if self._answers > MAX_ANSWERS:
            raise MessageTooLarge(f"{MAX_ANSWERS} answers and nothing agreed upon")
        await self._inner.write(data)

    async def close(self) -> None:
        """Close what is beneath."""
        await self._inner.close()

    def get_remote_address(self) -> tuple[str, int] | None:
        """Return the peer's IP address and port."""
        return self._inner.get_remote_address()
