"""CARs in and out: the blocks of an archive into the store, and a DAG into an archive."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace

import trio

from peershelf.blockstore.block import Block, inline_bytes
from peershelf.blockstore.car import writer
from peershelf.blockstore.car.reader import CarReader, Roots
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.dag import guide
from peershelf.blockstore.dag.guide import AllLinks
from peershelf.blockstore.dag.traversal import Traversal
from peershelf.node.blocks import Blocks, Fetcher
from peershelf.node.dags import Visit, drive
from peershelf.node.files import Sink, closed_at_the_end, gathered

_HOP_SIZE = 4 << 20
_PUT_SIZE = 8 << 20
_SENT_SIZE = 1 << 20


@dataclass(frozen=True, slots=True)
class Imported:
    """What an archive held."""

    roots: tuple[Cid, ...] = ()
    blocks: int = 0
    size: int = 0
    """Bytes of the blocks."""
    archive_size: int = 0
    """Bytes of the archive."""

    def plus(self, other: Imported) -> Imported:
        """What both held; each root once."""
        return Imported(
            tuple(dict.fromkeys((*self.roots, *other.roots))),
            self.blocks + other.blocks,
            self.size + other.size,
            self.archive_size + other.archive_size,
        )


class CarImport:
    """Takes an archive piece by piece, and puts its blocks. Blocking, for one thread at a time.

    A block is put only if it hashes to its CID. When something is wrong, those before it may be stored: they
    are right, and garbage unless something else needs them.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._reader = CarReader()
        self._waiting: list[Block] = []
        self._waiting_size = 0
        self.imported = Imported()

    def write(self, data: bytes) -> None:
        """Take the next bytes.

        Raises MalformedCar, HashMismatch, UnsupportedHash, BlockTooLarge, StoreError.
        """
        self._reader.receive(data)
        self.imported = replace(self.imported, archive_size=self.imported.archive_size + len(data))
        while (event := self._reader.next_event()) is not None:
            if isinstance(event, Roots):
                self.imported = replace(self.imported, roots=event.cids)
            else:
                self._add(Block.verify(*event))

    def finish(self) -> Imported:
        """The archive has ended. Raises MalformedCar if it is not whole, StoreError."""
        self._reader.end()
        self._put()
        return self.imported

    def _add(self, block: Block) -> None:
        done = self.imported
        self.imported = replace(done, blocks=done.blocks + 1, size=done.size + len(block.data))
        if inline_bytes(block.cid) is None:
            self._waiting.append(block)
            self._waiting_size += len(block.data)
            if self._waiting_size >= _PUT_SIZE:
                self._put()

    def _put(self) -> None:
        if self._waiting:
            waiting, self._waiting, self._waiting_size = self._waiting, [], 0
            self._sink(waiting)


async def import_car(
    chunks: AsyncIterator[bytes], sink: Sink, progress: Callable[[int], None] | None
) -> Imported:
    """Put the blocks of an archive as it comes. `progress` is told the bytes of it that are done."""
    importing = CarImport(sink)
    piece = bytearray()
    done = 0
    async with closed_at_the_end(chunks):
        async for chunk in chunks:
            piece += chunk
            if len(piece) >= _HOP_SIZE:
                await trio.to_thread.run_sync(importing.write, bytes(piece))
                done += len(piece)
                piece.clear()
                if progress is not None:
                    progress(done)
    await trio.to_thread.run_sync(importing.write, bytes(piece))
    return await trio.to_thread.run_sync(importing.finish)


async def export_car(
    blocks: Blocks,
    fetcher: Fetcher,
    root: Cid,
    send: Callable[[bytes | memoryview], Awaitable[None]],
    progress: Callable[[int], None] | None = None,
) -> None:
    """Send the archive of a DAG: each block once, parents before children, first children first.

    Raises what drive() raises.
    """
    pieces: list[bytes | memoryview] = [writer.header([root])]
    size = sent = 0

    async def flush() -> None:
        nonlocal size, sent
        for piece in gathered(pieces):
            await send(piece)
            sent += len(piece)
        if progress is not None:
            progress(sent)
        pieces.clear()
        size = 0

    async def visit(one: Visit) -> None:
        nonlocal size
        assert one.data is not None
        pieces.extend(writer.section(Block(one.cid, one.data)))
        size += len(one.data)
        if size >= _SENT_SIZE:
            await flush()

    await drive(blocks, fetcher, Traversal([guide.root(root)], AllLinks()), visit)
    await flush()
