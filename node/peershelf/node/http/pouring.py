"""An answer of bytes goes into a file that the command handed over, and only how many went there is sent."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import trio

from peershelf.node.errors import CannotWrite
from peershelf.node.tasks import single_error

Piece = bytes | memoryview
Tell = Callable[[int], Awaitable[None]]
"""Is told the bytes written so far."""

_WAITING = 4
"""Pieces that may wait while others are written; the largest are of 2 MiB."""

_BATCH_SIZE = 4 << 20
"""Bytes from which a batch is not added to: what a client that has left may still find written."""

_MOST_PIECES = 512  # fewer than writev() takes at once anywhere


async def pour(pieces: AsyncIterator[Piece], descriptor: int, tell: Tell) -> None:
    """Write the pieces in order at the file's own offset, in threads, while the next ones are being made.

    Raises CannotWrite, and after writing what came before it whatever the pieces raise. Once this returns or
    raises, cancelled or not, nothing more is written.
    """
    outbox, inbox = trio.open_memory_channel[Piece](_WAITING)
    failure: Exception | None = None
    with single_error():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_write_batches, inbox, descriptor, tell)
            async with outbox:
                try:
                    async for piece in pieces:
                        await outbox.send(piece)
                except Exception as error:
                    failure = error
    if failure is not None:
        raise failure


async def _write_batches(inbox: trio.MemoryReceiveChannel[Piece], descriptor: int, tell: Tell) -> None:
    done = 0
    async with inbox:
        async for piece in inbox:
            done += await trio.to_thread.run_sync(_write, descriptor, _batch(piece, inbox))
            await tell(done)


def _batch(piece: Piece, inbox: trio.MemoryReceiveChannel[Piece]) -> list[Piece]:
    batch, size = [piece], len(piece)
    try:
        while size < _BATCH_SIZE and len(batch) < _MOST_PIECES:
            batch.append(inbox.receive_nowait())
            size += len(batch[-1])
    except (trio.WouldBlock, trio.EndOfChannel):
        pass
    return batch


def _write(descriptor: int, batch: Sequence[Piece]) -> int:
    """Write all of it; returns how many bytes that was. Raises CannotWrite as the command itself would."""
    left = [memoryview(piece) for piece in batch]
    total = 0
    try:
        while left:
            count = os.writev(descriptor, left)
            total += count
            while left and count >= len(left[0]):
                count -= len(left.pop(0))
            if left:
                left[0] = left[0][count:]
    except OSError as error:
        raise CannotWrite(f"cannot write to standard output: {error.strerror}") from None
    return total
