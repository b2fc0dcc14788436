"""Importing a file: bytes are pushed in, blocks come out to a sink in batches.

Theory of operation. The caller's thread cuts the stream into chunks and groups them to about 4 MiB, worker
threads make leaves of the groups, and one writer thread takes the leaves in order, lays the tree over them
and calls the sink, so that reading, hashing and writing overlap. What is between the caller and the sink
is bounded: a group of 4 MiB, 20 MiB in the pipeline and a batch of 8 MiB. A file of a single group starts
no thread at all.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from threading import Thread
from types import TracebackType
from typing import Self

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.unixfs.chunker import Chunker
from peershelf.blockstore.unixfs.layout import BalancedLayout, Subtree, make_leaf
from peershelf.blockstore.unixfs.pipeline import HashPipeline
from peershelf.blockstore.unixfs.profiles import DEFAULT_PROFILE, Profile

_GROUP_SIZE = 4 * 1024 * 1024
_PIPELINE_SIZE = 20 * 1024 * 1024
_BATCH_SIZE = 8 * 1024 * 1024

Sink = Callable[[Sequence[Block]], None]
"""Stores a batch of blocks, children before parents. Called from one thread at a time; may block."""

Leaves = list[tuple[int, Block]]
"""Leaf blocks with the file bytes that each holds."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file became."""

    cid: Cid
    size: int
    """Bytes of the file."""
    dag_size: int
    """Bytes of all blocks of the DAG, repeated ones counted each time."""
    blocks: int
    """Blocks handed to the sink, repeated ones counted each time."""


class Importer:
    """Turns one file into blocks. Use as a context manager, write() the bytes, then finish().

    Whatever the sink or a hash raises comes out of the next write() or of finish(). Leaving the context
    without finish() abandons the import and joins every thread.
    """

    def __init__(self, sink: Sink, profile: Profile = DEFAULT_PROFILE, *, workers: int | None = None) -> None:
        """`workers` threads hash, by default one a core up to eight."""
        self._profile = profile
        self._assembler = _Assembler(sink, profile)
        self._workers = workers or min(os.cpu_count() or 1, 8)
        self._chunker = Chunker(profile.chunk_size)
        self._group: list[bytes] = []
        self._group_size = 0
        self._pipeline: HashPipeline[Leaves] | None = None
        self._writer: Thread | None = None
        self._imported: Imported | None = None
        self._closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append bytes to the file, waiting while the pipeline is full. `data` may be reused afterwards.

        `bytes` of exactly the profile's chunk size are the fastest: they are not copied.
        """
        self._check_open()
        for chunk in self._chunker.push(data):
            self._add(chunk)

    def finish(self) -> Imported:
        """End the file: returns once the sink has taken every block."""
        self._check_open()
        try:
            rest = self._chunker.flush()
            if rest or not self._group:
                self._add(rest)
            if self._pipeline is None:
                return self._assembler.run([self._make_leaves(self._group)])
            return self._finish_pipeline(self._pipeline)
        finally:
            self.close()

    def close(self) -> None:
        """Abandon the import if it is not finished, and join its threads.

        Another thread may call this to wake one that waits in write(). Closing twice is harmless.
        """
        self._closed = True
        if self._pipeline is not None:
            self._pipeline.close()
        if self._writer is not None:
            self._writer.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._closed:
            raise ValueError("the import is over")

    def _add(self, chunk: bytes) -> None:
        # A group waits here until another chunk follows, so that one group alone needs no thread.
        if self._group_size >= _GROUP_SIZE:
            self._started().put(self._group)
            self._group = []
            self._group_size = 0
        self._group.append(chunk)
        self._group_size += len(chunk)

    def _started(self) -> HashPipeline[Leaves]:
        if self._pipeline is None:
            pipeline = HashPipeline(self._make_leaves, workers=self._workers, limit=_PIPELINE_SIZE)
            writer = Thread(target=self._write_blocks, args=(pipeline,), name="import-writer", daemon=True)
            writer.start()
            # Set once they run, because another thread may call close() at any time.
            self._pipeline, self._writer = pipeline, writer
        return self._pipeline

    def _make_leaves(self, group: list[bytes]) -> Leaves:
        return [(len(chunk), make_leaf(self._profile, chunk)) for chunk in group]

    def _write_blocks(self, pipeline: HashPipeline[Leaves]) -> None:
        try:
            self._imported = self._assembler.run(pipeline.results())
        except BaseException as error:  # whatever it is, the caller's thread raises it
            pipeline.fail(error)

    def _finish_pipeline(self, pipeline: HashPipeline[Leaves]) -> Imported:
        pipeline.put(self._group)
        pipeline.end()
        if self._writer is not None:
            self._writer.join()
        pipeline.check()
        assert self._imported is not None
        return self._imported


class _Assembler:
    """Lays the tree over leaves as they come, and batches all blocks toward the sink."""

    def __init__(self, sink: Sink, profile: Profile) -> None:
        self._sink = sink
        self._layout = BalancedLayout(profile)
        self._batch: list[Block] = []
        self._batch_size = 0
        self._blocks = 0

    def run(self, groups: Iterable[Leaves]) -> Imported:
        for leaves in groups:
            for file_size, block in leaves:
                self._emit(block)
                self._emit_all(self._layout.add_leaf(Subtree(block.cid, file_size, len(block.data))))
        root, nodes = self._layout.finish()
        self._emit_all(nodes)
        self._flush()
        return Imported(root.root, root.file_size, root.dag_size, self._blocks)

    def _emit_all(self, blocks: list[Block]) -> None:
        for block in blocks:
            self._emit(block)

    def _emit(self, block: Block) -> None:
        self._batch.append(block)
        self._batch_size += len(block.data)
        if self._batch_size >= _BATCH_SIZE:
            self._flush()

    def _flush(self) -> None:
        if self._batch:
            self._sink(self._batch)
            self._blocks += len(self._batch)
            self._batch = []
            self._batch_size = 0
