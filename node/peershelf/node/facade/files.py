"""Files in and out."""

from __future__ import annotations

import math
from functools import partial

import trio

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.path import parse_reference
from peershelf.blockstore.unixfs.importer import Imported
from peershelf.blockstore.unixfs.metadata import NONE, Metadata
from peershelf.blockstore.unixfs.profiles import PROFILES, Profile
from peershelf.node import files, importing
from peershelf.node.errors import UsageError
from peershelf.node.facade.core import Core
from peershelf.node.iterators import Closeable


class FileAccess(Core):
    """Adding files, and reading them back."""

    async def add(
        self,
        source: importing.Source,
        *,
        profile: Profile | None = None,
        pin: bool = True,
        announce: bool = True,
        progress: importing.Progress | None = None,
    ) -> Cid:
        """Store a file and return its CID; once it returns, the file and its pin survive a power loss.

        Without `announce` the network is not told that it is here, neither now nor by later sweeps; peers
        who know the CID still get it.

        `source` is a path, bytes, a binary file, or an async iterator of bytes. `progress` is told the bytes
        done so far, from a worker thread. Raises OSError if the source cannot be read, StoreError.
        """
        imported = await self.import_file(
            source, profile=profile, pin=pin, announce=announce, progress=progress
        )
        return imported.cid

    async def import_file(
        self,
        source: importing.Source,
        *,
        profile: Profile | None = None,
        pin: bool = True,
        announce: bool = True,
        only_hash: bool = False,
        progress: importing.Progress | None = None,
        metadata: Metadata = NONE,
    ) -> Imported:
        """As `add`, and tell the sizes too. With `only_hash` nothing is stored. `metadata` is the root's."""
        chosen = profile or self.profile
        if only_hash:
            return await importing.add(self.blocking, source, lambda blocks: None, chosen, progress, metadata)
        losses = self.store.losses
        with self.additions.holding(announce=announce) as hold:
            sink = self.additions.sink(hold, durable=False)
            imported = await importing.add(self.blocking, source, sink, chosen, progress, metadata)
            keep = partial(self.additions.keep, imported.cid, losses, pin=pin, announce=announce)
            await trio.to_thread.run_sync(keep)
        return imported

    @property
    def profile(self) -> Profile:
        """The import profile that the configuration names."""
        return PROFILES[self.repo.config.text("Import.Profile")]

    def cat(
        self,
        *references: Cid | str,
        offset: int = 0,
        length: int | None = None,
        offline: bool = False,
        timeout: float = math.inf,
    ) -> Closeable[bytes | memoryview]:
        """Iterate over a file's bytes in order, as they arrive from the store or from peers.

        A reference is a CID, or text such as CID/path or /ipfs/CID. The bytes of several follow one another;
        they are asked for together, and `offset` and `length` count over all of them. Iterating raises
        BlockNotFound when offline and not here, TimedOut after `timeout` seconds in all, NotAFile,
        PathNotFound, MalformedBlock; for the second file and those behind it, InvalidCid and InvalidPath too.
        """
        wanted = self._wanted(references, offset, length, offline, timeout)
        return self.run_stream(partial(files.read_files, self.blocks, wanted))

    async def open(
        self,
        *references: Cid | str,
        offset: int = 0,
        length: int | None = None,
        offline: bool = False,
        timeout: float = math.inf,
    ) -> files.OpenFile:
        """As `cat`, once the first file's size is known."""
        wanted = self._wanted(references, offset, length, offline, timeout)
        return await files.open_files(self.run_stream, self.blocks, wanted)

    def _wanted(
        self,
        references: tuple[Cid | str, ...],
        offset: int,
        length: int | None,
        offline: bool,
        timeout: float,
    ) -> files.Wanted:
        if not references:
            raise UsageError("a CID is needed, or text such as CID/path")
        first = references[0]
        if isinstance(first, str):
            parse_reference(first)  # raises here and now, not when iterated
        return files.Wanted(references, offset, length, offline=offline, timeout=timeout)
