"""CARs: DAGs as archives that other programs read too."""

from __future__ import annotations

import math
import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import BlockNotFound, BlockstoreError
from peershelf.blockstore.path import parse_reference
from peershelf.node import cars
from peershelf.node.blocking import Blocking
from peershelf.node.cars import Imported
from peershelf.node.describe import describe
from peershelf.node.facade.pinning import Pinning
from peershelf.node.importing import Progress
from peershelf.node.iterators import Closeable

CarSource = str | os.PathLike[str] | BinaryIO | AsyncIterator[bytes]
_READ_SIZE = 1 << 20


@dataclass(frozen=True, slots=True)
class ImportedCar:
    """What came of an archive."""

    imported: Imported
    not_pinned: dict[Cid, str]
    """Roots that could not be pinned, for instance since blocks below them are missing, and why."""


class Archives(Pinning):
    """Exporting and importing."""

    def export_car(
        self,
        reference: Cid | str,
        *,
        progress: Progress | None = None,
        offline: bool = False,
        timeout: float = math.inf,
    ) -> Closeable[bytes | memoryview]:
        """Iterate over the bytes of a CAR (version 1) with all that a reference leads to.

        `progress` is told how many bytes have been given out.
        What is not here is fetched. Raises as Reading does, and UnsupportedCodec.
        """
        if isinstance(reference, str):
            parse_reference(reference)  # raises here and now, not when iterated

        async def produce(send: Callable[[bytes | memoryview], Awaitable[None]]) -> None:
            async with self._reading(reference, offline=offline, timeout=timeout) as (fetcher, (root,)):
                await cars.export_car(self.blocks, fetcher, root, send, progress)

        return self.run_stream(produce)

    async def import_car(
        self,
        source: CarSource,
        *,
        pin_roots: bool = True,
        announce: bool = True,
        progress: Progress | None = None,
    ) -> ImportedCar:
        """Store the blocks of a CAR (version 1 or 2), and pin its roots; then it survives a power loss.

        `source` is a path, a binary file or an async iterator of bytes. `progress` is told the bytes of it
        that are done, and `announce` is as in add(). Every block is hashed first. Raises MalformedCar,
        HashMismatch, UnsupportedHash and BlockTooLarge, which leave no wrong block behind and pin nothing,
        OSError and StoreError.
        """
        async with aclosing(_one(source)) as sources:
            return await self.import_cars(sources, pin_roots=pin_roots, announce=announce, progress=progress)

    async def import_cars(
        self,
        sources: AsyncIterator[CarSource],
        *,
        pin_roots: bool = True,
        announce: bool = True,
        progress: Progress | None = None,
    ) -> ImportedCar:
        """As import_car, of several that may be parts of one DAG: all are stored before a root is pinned."""
        losses, before = self.store.losses, Imported()

        def tell(done: int) -> None:
            if progress is not None:
                progress(before.archive_size + done)

        with self.additions.holding(announce=announce) as hold:
            sink = self.additions.sink(hold, durable=False)
            async for source in sources:
                chunks = source if isinstance(source, AsyncIterator) else _chunks(self.blocking, source)
                before = before.plus(await cars.import_car(self.blocking, chunks, sink, tell))
            await self.blocking.run(lambda: self.store.sync(losses=losses))
            for root in () if announce else before.roots:
                await self.blocking.run(self.pins.set_announced, root, False)
            not_pinned: dict[Cid, str] = {}
            for root in before.roots if pin_roots else ():
                try:
                    await self.pin(root, offline=True)
                except BlockNotFound:
                    not_pinned[root] = "its DAG is not whole here; `node pin add` fetches the rest from peers"
                except BlockstoreError as error:
                    not_pinned[root] = describe(error)
        return ImportedCar(before, not_pinned)


async def _one(source: CarSource) -> AsyncGenerator[CarSource, None]:
    yield source


async def _chunks(blocking: Blocking, source: str | os.PathLike[str] | BinaryIO) -> AsyncIterator[bytes]:
    if isinstance(source, str | os.PathLike):
        with Path(source).open("rb", buffering=0) as file:
            while data := await blocking.run(file.read, _READ_SIZE):
                yield data
        return
    while data := await blocking.run(source.read, _READ_SIZE):
        yield data
