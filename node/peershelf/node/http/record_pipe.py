"""Sends an answer made of records while the next ones are being made."""

from __future__ import annotations

from contextlib import aclosing

import trio

from peershelf.node.http.reply import Reply
from peershelf.node.http.responses import encode, record_headers
from peershelf.node.iterators import Closeable
from peershelf.node.operations.request import Record

BUFFERED_RECORDS = 512
"""Records that may wait for a client that reads slowly."""

BATCH_SIZE = 64 << 10
"""Bytes from which a batch is not added to."""


async def send_records(records: Closeable[Record], reply: Reply) -> None:
    """Send records as they come, each at once if the client keeps up, and otherwise many in one piece.

    The head waits for the first record, so that what fails before it has a status of its own. Raises what
    the generator raises, after the records before it have been sent.
    """
    outbox, inbox = trio.open_memory_channel[bytes](BUFFERED_RECORDS)
    failure: Exception | None = None
    async with trio.open_nursery() as nursery, aclosing(records):
        nursery.start_soon(_send_batches, inbox, reply)
        async with outbox:
            try:
                async for record in records:
                    await _put(outbox, encode(record))
            except Exception as error:
                failure = error
    if failure is not None:
        raise failure
    if not reply.begun:
        await reply.begin(record_headers())
    await reply.finish()


async def _put(outbox: trio.MemorySendChannel[bytes], line: bytes) -> None:
    # A checkpoint for each record would cost more than the record.
    try:
        outbox.send_nowait(line)
    except trio.WouldBlock:
        await outbox.send(line)


async def _send_batches(inbox: trio.MemoryReceiveChannel[bytes], reply: Reply) -> None:
    async with inbox:
        async for line in inbox:
            if not reply.begun:
                await reply.begin(record_headers())
            await reply.write(_batch(line, inbox))


def _batch(line: bytes, inbox: trio.MemoryReceiveChannel[bytes]) -> bytes:
    batch = bytearray(line)
    try:
        while len(batch) < BATCH_SIZE:
            batch += inbox.receive_nowait()
    except (trio.WouldBlock, trio.EndOfChannel):
        pass
    return bytes(batch)
