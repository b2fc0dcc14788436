"""Writes messages to one peer on one stream of our own, opened when first needed and kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

import trio

from peershelf.protocols.bitswap.limits import BitswapLimits
from peershelf.protocols.bitswap.messages import PROTOCOLS, Buffer, Message, encode
from peershelf.protocols.bitswap.wakeup import Wakeup
from peershelf.protocols.errors import (
    PeerNotConnected,
    ProtocolNotSupported,
    StreamStalled,
    TransportError,
)
from peershelf.protocols.transport import Network, PeerId, Stream
from peershelf.protocols.wire import frame_header

_PIECE = 1_048_576
"""Bytes written at a time."""
_BIG = 131_072
"""Bytes from which a piece is not worth joining with others."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 30.0


UNREACHABLE = (PeerNotConnected, ProtocolNotSupported)
"""Errors that do not pass: nothing more can be sent on this connection."""


class Source(Protocol):
    """Where a sender gets its messages, and learns what became of them."""

    more: Wakeup
    """Set when there may be something to send."""

    def next_message(self) -> Message | None:
        """The next message to send, or None until `more` is set."""

    def sent(self) -> None:
        """The message given last has left."""

    def failed(self, error: TransportError) -> None:
        """The stream broke; what was sent lately may not have arrived, and the message given last did not."""


class Sender:
    """One peer's outgoing messages of one kind. Slow peers hold up their own sender and nothing else."""

    def __init__(self, network: Network, peer: PeerId, source: Source, limits: BitswapLimits) -> None:
        self._network = network
        self._peer = peer
        self._source = source
        self._limits = limits
        self._stream: Stream | None = None
        self._pause = _FIRST_PAUSE

    async def run(self) -> None:
        """Send until the peer is gone, or turns out not to speak bitswap."""
        try:
            while True:
                await self._source.more.wait()
                await self._send_waiting()
        except UNREACHABLE as error:
            self._source.failed(error)
        finally:
            await self._drop_stream()

    async def _send_waiting(self) -> None:
        try:
            while (message := self._source.next_message()) is not None:
                await self._send(message)
                self._source.sent()
                self._pause = _FIRST_PAUSE
        except UNREACHABLE:
            raise
        except TransportError as error:
            self._source.failed(error)
            await self._drop_stream()
            await trio.sleep(self._pause)
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)
            self._source.more.set()

    async def _send(self, message: Message) -> None:
        if self._stream is None:
            self._stream = await self._open_stream()
        pieces = encode(message, self._stream.protocol)
        size = sum(len(piece) for piece in pieces)
        if not size:
            return
        for piece in _regroup([frame_header(size), *pieces]):
            await self._stream.send_all(piece, patience=self._limits.stall)

    async def _open_stream(self) -> Stream:
        with trio.move_on_after(self._limits.stall):
            return await self._network.open_stream(self._peer, PROTOCOLS)
        raise StreamStalled(f"no stream could be opened for {self._limits.stall:g} s")

    async def _drop_stream(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + 1):
                await stream.reset()


def _regroup(pieces: Iterable[Buffer]) -> Iterator[Buffer]:
    """Join small pieces and slice big ones, so that few writes are made and each is bounded.

    What goes before a big block is a write of its own: the peer hears at once that the block is coming,
    however long that takes.
    """
    small: list[Buffer] = []
    size = 0
    for piece in pieces:
        if small and (len(piece) >= _BIG or size >= _BIG):
            yield b"".join(small)
            small, size = [], 0
        if len(piece) < _BIG:
            small.append(piece)
            size += len(piece)
        else:
            yield from (memoryview(piece)[start : start + _PIECE] for start in range(0, len(piece), _PIECE))
    if small:
        yield b"".join(small)
