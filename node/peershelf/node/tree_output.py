"""Where trees that are read go: to disk, or into an archive on its way to a client."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable, Sequence

from peershelf.blockstore.cid import DAG_PB, Cid
from peershelf.blockstore.dag import pb
from peershelf.blockstore.dag.visit import Visit
from peershelf.blockstore.unixfs.tree_guide import TreeStep
from peershelf.node.archive import tar_format
from peershelf.node.archive.member import FILE, Member
from peershelf.node.archive.tar_writer import TarWriter
from peershelf.node.archive.tree_writer import TreeWriter
from peershelf.node.blocking import Blocking
from peershelf.node.errors import UsageError
from peershelf.node.pipeline import BlockSource, Pipeline
from peershelf.node.read_ahead import SMALL_PIECE, gathered
from peershelf.node.tree_reading import read_tree

_BATCH_BYTES = 1 << 20
_BATCH_ITEMS = 512
_GZIP = 31
"""The window that makes zlib write gzip headers."""

Send = Callable[[int | bytes | memoryview], Awaitable[None]]
Progress = Callable[[int], object]


async def write_to_disk(
    blocks: BlockSource, fetcher: Pipeline, root: Cid, target: tuple[bytes, bytes], progress: Progress | None
) -> None:
    """Write the tree below `root` as TreeWriter does, in threads; `target` are its two arguments.

    `progress` is told the bytes of files that are written. Raises CannotWrite, and as read_tree().
    """
    output = _DiskOutput(TreeWriter(*target), blocks.blocking, progress)
    try:
        await read_tree(blocks, fetcher, root, output.take)
        await output.finish()
    finally:
        output.writer.close()


class _DiskOutput:
    """Gathers what is to be written, so that a hop to a thread is paid for many small files."""

    def __init__(self, writer: TreeWriter, blocking: Blocking, progress: Progress | None) -> None:
        self.writer = writer
        self._blocking = blocking
        self._progress = progress
        self._items: list[Member | bytes] = []
        self._waiting = self._done = 0

    async def take(self, one: Member | None, data: bytes, visit: Visit[TreeStep]) -> None:
        if one is not None:
            self._items.append(one)
        if data:
            self._items.append(data)
            self._waiting += len(data)
        if self._waiting >= _BATCH_BYTES or len(self._items) >= _BATCH_ITEMS:
            await self._flush()

    async def finish(self) -> None:
        await self._flush()
        await self._blocking.run(self.writer.finish)

    async def _flush(self) -> None:
        items, self._items = self._items, []
        self._done, self._waiting = self._done + self._waiting, 0
        await self._blocking.run(self._write, items)
        if self._progress is not None:
            self._progress(self._done)

    def _write(self, items: Sequence[Member | bytes]) -> None:
        for item in items:
            if isinstance(item, Member):
                self.writer.begin(item)
            else:
                self.writer.write(item)


async def send_archive(
    blocks: BlockSource,
    fetcher: Pipeline,
    root: Cid,
    send: Send,
    *,
    name: bytes,
    bare: bool = False,
    compression: int | None = None,
) -> None:
    """Send how large the DAG below `root` is, as it claims, and then a tar archive of the tree.

    `compression` is a level of gzip, 1 to 9. A `bare` file comes without an archive around it; raises
    UsageError if the root is something else, and as read_tree().
    """
    output = _ArchiveOutput(
        send, blocks.blocking, _compressor(compression), None if bare else TarWriter(name)
    )
    await read_tree(blocks, fetcher, root, output.take)
    await output.finish()


class _ArchiveOutput:
    """Gathers small pieces: whatever takes them on pays for each."""

    def __init__(
        self, send: Send, blocking: Blocking, compressor: zlib._Compress | None, tar: TarWriter | None
    ) -> None:
        self._send = send
        self._blocking = blocking
        self._compressor = compressor
        self._tar = tar
        self._pieces: list[bytes] = []
        self._waiting = 0
        self._padding = b""

    async def take(self, one: Member | None, data: bytes, visit: Visit[TreeStep]) -> None:
        if visit.depth == 0:
            await self._send(await self._blocking.run(_dag_size, visit))
        if one is not None:
            if self._tar is not None:
                self._add(self._padding + self._tar.begin(one))
                self._padding = tar_format.padding(one.size)
            elif one.kind != FILE:
                raise UsageError("only a file is compressed by itself: ask for an archive too (--archive)")
        self._add(data)
        if self._waiting >= SMALL_PIECE:
            await self._flush()

    async def finish(self) -> None:
        if self._tar is not None:
            self._add(self._padding + tar_format.END)
        await self._flush()
        if self._compressor is not None:
            await self._send(self._compressor.flush())

    def _add(self, data: bytes) -> None:
        if data:
            self._pieces.append(data)
            self._waiting += len(data)

    async def _flush(self) -> None:
        pieces, self._pieces, self._waiting = self._pieces, [], 0
        for piece in gathered(pieces):
            if self._compressor is None:
                await self._send(piece)
            elif smaller := await self._blocking.run(self._compressor.compress, piece):
                await self._send(smaller)


def _compressor(level: int | None) -> zlib._Compress | None:
    return None if level is None else zlib.compressobj(level, zlib.DEFLATED, _GZIP)


def _dag_size(root: Visit[TreeStep]) -> int:
    """Bytes of all blocks, as the root's links claim."""
    data = root.data or b""
    if root.cid.codec != DAG_PB:
        return len(data)
    node = pb.decode(data)
    return len(data) + sum(link.size or 0 for link in node.links)
