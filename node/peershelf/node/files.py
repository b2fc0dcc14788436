"""Files out: a CID back to its bytes in order."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import cast

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.path import root_cids
from peershelf.blockstore.unixfs.queued_file import Span
from peershelf.blockstore.unixfs.sequence import FileSequence
from peershelf.node.iterators import Closeable, Producer
from peershelf.node.pipeline import BlockSource
from peershelf.node.read_ahead import (
    STEPS_OF_PEERS,
    STEPS_OF_STORE,
    gathered,
    in_steps,
    share_of,
)
from peershelf.node.taking_in import take_in


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which bytes of which files, taken as one, and how hard to try."""

    references: tuple[Cid | str, ...]
    """CIDs, or text such as CID/path."""
    offset: int = 0
    length: int | None = None
    """None: all to the end."""
    offline: bool = False
    timeout: float = math.inf
    """Seconds for the whole of it."""


RunStream = Callable[[Producer[int | bytes | memoryview]], Closeable[int | bytes | memoryview]]


@dataclass(frozen=True, slots=True)
class OpenFile:
    """Files on their way."""

    size: int
    """Of the whole first file, in bytes."""
    chunks: Closeable[bytes | memoryview]
    """The bytes that were wanted, in order."""


async def open_files(run: RunStream, blocks: BlockSource, wanted: Wanted) -> OpenFile:
    """Find the first file and begin reading in a task that `run` starts.

    Raises, here or from the chunks, what read_files raises.
    """

    async def read(send: Callable[[int | bytes | memoryview], Awaitable[None]]) -> None:
        await read_files(blocks, wanted, send, send_size=send)

    items = run(read)
    size = await anext(aiter(items))
    assert isinstance(size, int)
    return OpenFile(size, cast(Closeable[bytes | memoryview], items))


async def read_files(
    blocks: BlockSource,
    wanted: Wanted,
    send: Callable[[bytes | memoryview], Awaitable[None]],
    send_size: Callable[[int], Awaitable[None]] | None = None,
) -> None:
    """Send the files' bytes in order, asking for some ahead of what was taken; first the first one's size.

    Raises NotAFile, PathNotFound, MalformedBlock, BlockNotFound, CorruptBlock, InvalidCid, InvalidPath and
    UnsupportedHash after all that stands before the file in question, and TimedOut, StoreError and, for one
    of the references, ContentBlocked at once.
    """
    await blocks.check(*wanted.references)
    roots = root_cids(wanted.references)
    async with blocks.fetcher(*roots, offline=wanted.offline, timeout=wanted.timeout) as fetcher:
        sequence = FileSequence(wanted.references, Span(wanted.offset, wanted.length))
        read = 0
        while True:
            steps = STEPS_OF_PEERS if fetcher.asks_peers else STEPS_OF_STORE
            fetcher.want(sequence.wants(in_steps(share_of(blocks.open_fetchers), read, steps)))
            if sequence.size is not None and send_size is not None:
                await send_size(sequence.size)
                send_size = None
            pieces = sequence.read()
            for piece in gathered(pieces):
                await send(piece)
                read += len(piece)
            if sequence.done:
                return
            if not pieces:  # else what was read has made room to ask for more first
                await take_in(blocks, fetcher, sequence)
