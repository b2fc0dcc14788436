"""An answer of bytes goes into a file that the command handed over, and only how many went there is sent."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial

import trio

from peershelf.blockstore.buffers import Buffers, cut
from peershelf.node.errors import CannotWrite
from peershelf.node.http.reply import Reply
from peershelf.node.http.responses import encode
from peershelf.node.tasks import single_error
from peershelf.protocols.offload import in_thread

Piece = bytes | memoryview

_WAITING = 4
"""Pieces that may wait while others are written; the largest are of 2 MiB."""

_BATCH_SIZE = 4 << 20
"""Bytes from which a batch is not added to: what may still be written after a client was killed."""

_MOST_PIECES = 512  # fewer than writev() takes at once anywhere

_TELLING = 0.1
"""Seconds between two records of progress."""


class Pouring:
    """Writes pieces to an open file, in order and at the file's own offset."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._done = 0
        self._over = trio.Event()

    async def run(self, pieces: AsyncIterator[Piece], reply: Reply, headers: Mapping[str, str]) -> None:
        """Write in threads while the next pieces are being made; if any come, the answer tells how far it is.

        Raises CannotWrite, and after writing what came before it whatever the pieces raise. Once this returns
        or raises, cancelled or not, nothing more is written.
        """
        failure: Exception | None = None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._tell, reply, headers)
            try:
                await self._write_all(pieces)
            except Exception as error:
                # A record that is being sent goes out whole, else the answer would be none.
                failure = error
            self._over.set()
        if failure is not None:
            raise failure

    async def _write_all(self, pieces: AsyncIterator[Piece]) -> None:
        outbox, inbox = trio.open_memory_channel[Piece](_WAITING)
        failure: Exception | None = None
        with single_error():
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._write_batches, inbox)
                async with outbox:
                    try:
                        async for piece in pieces:
                            await outbox.send(piece)
                    except Exception as error:
                        failure = error
        if failure is not None:
            raise failure

    async def _write_batches(self, inbox: trio.MemoryReceiveChannel[Piece]) -> None:
        async with inbox:
            async for piece in inbox:
                batch = _batch(piece, inbox)
                self._done += await in_thread(partial(_write, self._descriptor, batch))

    async def _tell(self, reply: Reply, headers: Mapping[str, str]) -> None:
        told = 0
        while not self._over.is_set():
            with trio.move_on_after(_TELLING):
                await self._over.wait()
            if told != self._done:
                told = self._done
                if not reply.begun:
                    await reply.begin(headers)
                await reply.write(encode({"Bytes": told}))


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
    left: Buffers = batch
    try:
        while left:
            left = cut(left, os.writev(descriptor, left))[1]
    except OSError as error:
        raise CannotWrite(f"cannot write to standard output: {error.strerror}") from None
    return sum(map(len, batch))
