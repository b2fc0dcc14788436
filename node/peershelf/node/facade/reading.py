"""Reading directories and DAGs.

Methods import what they alone need: a command that runs one without a node starts the sooner.
"""

from __future__ import annotations

import math
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.path import parse_reference, root_cids
from peershelf.node.facade.ground import Ground

if TYPE_CHECKING:
    from peershelf.node.files import OpenFile
    from peershelf.node.iterators import Closeable
    from peershelf.node.pipeline import Pipeline
    from peershelf.node.refs import DagStats, Ref
    from peershelf.node.tree_output import Progress
    from peershelf.node.tree_reading import Listed

Bytes = int | bytes | memoryview

_SENT_AT_ONCE = 256
"""Entries or links that may wait for whoever iterates."""


class Reading(Ground):
    """Directories, whole trees and bare DAGs.

    A reference is a CID, or text such as CID/path or /ipfs/CID. What is not here is fetched from peers, many
    blocks at a time. `timeout` is in seconds for the whole of a call. Every method raises InvalidCid,
    InvalidPath, PathNotFound, MalformedBlock, BlockNotFound when offline and not here, UnsupportedHash,
    ContentBlocked for what a denylist forbids, and TimedOut.
    """

    @asynccontextmanager
    async def _reading(
        self, *references: Cid | str, offline: bool, timeout: float
    ) -> AsyncIterator[tuple[Pipeline, list[Cid]]]:
        """Fetch and find roots, for as long as what is below them is read: all reading passes here."""
        from peershelf.node.resolving import resolve

        await self.blocks.check(*references)
        roots = root_cids(references)
        async with self.blocks.fetcher(*roots, offline=offline, timeout=timeout) as fetcher:
            yield fetcher, [await resolve(fetcher, reference) for reference in references]

    async def resolve(self, reference: Cid | str, *, offline: bool = False, timeout: float = math.inf) -> Cid:
        """Return the CID that a path leads to."""
        async with self._reading(reference, offline=offline, timeout=timeout) as (_, (root,)):
            return root

    def ls(
        self,
        reference: Cid | str,
        *,
        look_up: bool = True,
        offline: bool = False,
        timeout: float = math.inf,
    ) -> Closeable[Listed]:
        """Iterate over the entries of a directory, in its order, as they become known.

        Without `look_up` the entries' own blocks are not fetched, so only raw ones are known to be files.
        A file lists its parts, which have no names. Raises NotUnixfs too.
        """

        from peershelf.node import tree_reading

        async def produce(send: Callable[[Listed], Awaitable[None]]) -> None:
            async with self._reading(reference, offline=offline, timeout=timeout) as (fetcher, (root,)):
                await tree_reading.list_directory(self.blocks, fetcher, root, send, look_up=look_up)

        return self.run_stream(produce, buffered=_SENT_AT_ONCE)

    async def get(
        self,
        reference: Cid | str,
        target: str | os.PathLike[str] | None = None,
        *,
        progress: Progress | None = None,
        offline: bool = False,
        timeout: float = math.inf,
    ) -> None:
        """Write a file or a directory to disk as `target`, by default under its own name here.

        What is there and the same is left alone, a file gets its name when it is whole, and nothing is ever
        written outside of the target: a run that was interrupted is taken up by another. `progress` is told
        the bytes that are done. Raises CannotWrite, UnsafeEntry and NotUnixfs too.
        """
        from peershelf.node import tree_output, tree_reading

        name = tree_reading.name_of(reference)
        path = name if target is None else os.fsencode(target)
        async with self._reading(reference, offline=offline, timeout=timeout) as (fetcher, (root,)):
            await tree_output.write_to_disk(self.blocks, fetcher, root, (path, name), progress)

    async def open_archive(
        self,
        reference: Cid | str,
        *,
        bare: bool = False,
        compression: int | None = None,
        offline: bool = False,
        timeout: float = math.inf,
    ) -> OpenFile:
        """Begin to make a tar archive of a file or directory, as `tree_output.send_archive` does.

        The size is that of the whole DAG, as its root claims. Raises UnsafeEntry and NotUnixfs too, from here
        or from the chunks.
        """
        from peershelf.node import tree_output, tree_reading
        from peershelf.node.files import OpenFile

        name = tree_reading.name_of(reference)

        async def produce(send: Callable[[Bytes], Awaitable[None]]) -> None:
            async with self._reading(reference, offline=offline, timeout=timeout) as (fetcher, (root,)):
                await tree_output.send_archive(
                    self.blocks, fetcher, root, send, name=name, bare=bare, compression=compression
                )

        items = self.run_stream(produce)
        size = await anext(aiter(items))
        assert isinstance(size, int)
        return OpenFile(size, cast("Closeable[bytes | memoryview]", items))

    def refs(
        self,
        *references: Cid | str,
        recursive: bool = False,
        unique: bool = False,
        max_depth: int | None = None,
        offline: bool = False,
        timeout: float = math.inf,
    ) -> Closeable[Ref]:
        """Iterate over the links of blocks, and with `recursive` of all blocks below, depth first.

        `unique` gives each block once. `max_depth` counts links from a root. Raises UnsupportedCodec too.
        """
        from peershelf.node import refs

        if isinstance(references[0], str):
            parse_reference(references[0])

        async def produce(send: Callable[[Ref], Awaitable[None]]) -> None:
            async with self._reading(*references, offline=offline, timeout=timeout) as (fetcher, roots):
                await refs.send_refs(
                    self.blocks,
                    fetcher,
                    roots,
                    send,
                    recursive=recursive,
                    unique=unique,
                    max_depth=max_depth,
                )

        return self.run_stream(produce, buffered=_SENT_AT_ONCE)

    async def dag_stat(
        self,
        *references: Cid | str,
        report: Callable[[DagStats], Awaitable[None]] | None = None,
        offline: bool = False,
        timeout: float = math.inf,
    ) -> DagStats:
        """Count the blocks below some roots and their bytes. `report` is awaited with the counts so far."""
        from peershelf.node.refs import StatCounter

        counter = StatCounter(report)
        async with self._reading(*references, offline=offline, timeout=timeout) as (fetcher, roots):
            for root in roots:
                await counter.count(self.blocks, fetcher, root)
        return counter.stats
