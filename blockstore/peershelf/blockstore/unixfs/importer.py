"""Importing a file: bytes are pushed in, blocks come out to a sink in batches.

Theory of operation. The caller's thread cuts the stream into chunks and groups them to about 4 MiB, worker
threads make leaves of the groups, and one writer thread takes the leaves in order, lays the tree over them
and calls the sink, so that reading, hashing and writing overlap. What is between the caller and the sink
is bounded: a group of 4 MiB, 20 MiB in the pipeline and a batch of 6 MiB. A file of a single group starts
no thread at all.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from threading import Thread

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.closing import Closing
from peershelf.blockstore.unixfs.batch import Batch, Sink
from peershelf.blockstore.unixfs.chunker import Chunker
from peershelf.blockstore.unixfs.layout import BalancedLayout, Subtree, make_leaf
from peershelf.blockstore.unixfs.metadata import NONE, Metadata
from peershelf.blockstore.unixfs.pipeline import HashPipeline
from peershelf.blockstore.unixfs.profiles import DEFAULT_PROFILE, Profile

_GROUP_SIZE = 4 * 1024 * 1024
_PIPELINE_SIZE = 20 * 1024 * 1024

Leaves = list[tuple[int, Block]]
"""Leaf blocks with the file bytes that each holds."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file, directory or symbolic link became."""

    cid: Cid
    size: int
    """Bytes of the file; of a link's target; of all those below a directory."""
    dag_size: int
    """Bytes of all blocks of the DAG, repeated ones counted each time."""
    blocks: int
    """Blocks handed to the sink for it alone, repeated ones counted each time."""


class Importer(Closing):
    """Turns one file into blocks. Use as a context manager, write() the bytes, then finish().

    Whatever the sink or a hash raises comes out of the next write() or of finish(). Leaving the context
    without finish() abandons the import and joins every thread.
    """

    def __init__(
        self,
        sink: Sink,
        profile: Profile = DEFAULT_PROFILE,
        *,
        workers: int | None = None,
        metadata: Metadata = NONE,
    ) -> None:
        """`workers` threads hash, by default one a core up to eight.

        `metadata` is kept in the root; as in Kubo, a file that has any has no raw leaves.
        """
        if metadata:
            profile = replace(profile, raw_leaves=False)
        self._profile = profile
        self._metadata = metadata
        self._assembler = _Assembler(sink, profile, metadata)
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
                return self._assembler.run([self._make_all_leaves()])
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

    def _make_all_leaves(self) -> Leaves:
        if len(self._group) > 1:
            return self._make_leaves(self._group)
        [chunk] = self._group
        return [(len(chunk), make_leaf(self._profile, chunk, self._metadata))]

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

    def __init__(self, sink: Sink, profile: Profile, metadata: Metadata) -> None:
        self._layout = BalancedLayout(profile, metadata)
        self._batch = Batch(sink)

    def run(self, groups: Iterable[Leaves]) -> Imported:
        for leaves in groups:
            for file_size, block in leaves:
                self._batch.add(block)
                self._batch.add_all(self._layout.add_leaf(Subtree(block.cid, file_size, len(block.data))))
        root, nodes = self._layout.finish()
        self._batch.add_all(nodes)
        self._batch.flush()
        return Imported(root.root, root.file_size, root.dag_size, self._batch.blocks)
