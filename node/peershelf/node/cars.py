"""CARs in and out: the blocks of an archive into the store, and a DAG into an archive."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass, replace

from peershelf.blockstore.block import Block, inline_bytes
from peershelf.blockstore.car import writer
from peershelf.blockstore.car.reader import CarReader, Roots
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.dag import guide
from peershelf.blockstore.dag.guide import AllLinks
from peershelf.blockstore.dag.traversal import Traversal
from peershelf.blockstore.unixfs.batch import Sink
from peershelf.node.blocking import Blocking
from peershelf.node.dags import Visit, drive
from peershelf.node.iterators import closed_at_the_end
from peershelf.node.pipeline import BlockSource, Pipeline
from peershelf.node.putting_behind import PuttingBehind
from peershelf.node.read_ahead import gathered

_HOP_SIZE = 4 << 20
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


class CarChecker:
    """Takes an archive piece by piece, and gives its blocks out once they hash to their CIDs. Blocking."""

    def __init__(self) -> None:
        self._reader = CarReader()
        self.read = Imported()

    def write(self, pieces: Iterable[bytes]) -> list[Block]:
        """Take the next bytes; returns the blocks that are whole with them and that a store has to keep.

        Raises MalformedCar, HashMismatch, UnsupportedHash, BlockTooLarge.
        """
        blocks: list[Block] = []
        for data in pieces:
            self._reader.receive(data)
            self.read = replace(self.read, archive_size=self.read.archive_size + len(data))
            while (event := self._reader.next_event()) is not None:
                if isinstance(event, Roots):
                    self.read = replace(self.read, roots=event.cids)
                else:
                    blocks.append(self._count(Block.verify(*event)))
        return [block for block in blocks if inline_bytes(block.cid) is None]

    def end(self) -> None:
        """The archive has ended. Raises MalformedCar if it is not whole."""
        self._reader.end()

    def _count(self, block: Block) -> Block:
        self.read = replace(self.read, blocks=self.read.blocks + 1, size=self.read.size + len(block.data))
        return block


async def import_car(
    blocking: Blocking,
    chunks: AsyncIterator[bytes],
    sink: Sink,
    progress: Callable[[int], None] | None,
) -> Imported:
    """Put the blocks of an archive as it comes. `progress` is told the bytes of it that are done.

    While blocks are put, the next are read and hashed. When something is wrong, those before it may be
    stored: they are right, and garbage unless something else needs them. Raises as CarChecker and `sink`.
    """
    checker, putting = CarChecker(), PuttingBehind(sink)

    def take(pieces: list[bytes]) -> None:
        putting.put(checker.write(pieces))

    def end() -> None:
        putting.finish()
        checker.end()

    try:
        hops = _in_hops(chunks)
        async with closed_at_the_end(chunks), aclosing(hops):
            async for pieces in hops:
                await blocking.run(take, pieces)
                if progress is not None:
                    progress(checker.read.archive_size)
        await blocking.run(end)
    finally:
        await blocking.clear_up(putting.close)
    return checker.read


async def _in_hops(chunks: AsyncIterator[bytes]) -> AsyncGenerator[list[bytes], None]:
    """Chunks together, as many as are worth a hop to a thread."""
    pieces: list[bytes] = []
    size = 0
    async for chunk in chunks:
        pieces.append(chunk)
        size += len(chunk)
        if size >= _HOP_SIZE:
            yield pieces
            pieces, size = [], 0
    yield pieces


async def export_car(
    blocks: BlockSource,
    fetcher: Pipeline,
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
