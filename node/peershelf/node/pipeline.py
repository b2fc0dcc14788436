"""What walks of files, trees and DAGs need of the blocks: the same of a node's, and without a node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import BlockstoreError
from peershelf.blockstore.store.base import Blockstore
from peershelf.node.blocking import Blocking
from peershelf.node.denylists.denylists import Denylists


@dataclass(frozen=True, slots=True)
class Found:
    """What has come of some wants, together."""

    blocks: list[Block]
    missing: Mapping[Cid, BlockstoreError] = field(default_factory=dict)
    """Why others cannot be had: BlockNotFound, CorruptBlock, UnsupportedHash or ContentBlocked."""

    def only(self) -> Block:
        """The block, where one alone was wanted. Raises what keeps it from being had."""
        for error in self.missing.values():
            raise error
        return self.blocks[0]


class Pipeline(Protocol):
    """Wants go in, blocks come out in the order in which they are found. `Fetcher` is one."""

    @property
    def asks_peers(self) -> bool: ...

    def want(self, cids: Sequence[Cid], absent: Sequence[Cid] = ()) -> None: ...

    async def receive(self) -> Found: ...

    async def get(self, cid: Cid) -> Block: ...


class BlockSource(Protocol):
    """Opens pipelines. `Blocks` is one."""

    store: Blockstore
    denylists: Denylists
    blocking: Blocking
    open_fetchers: int
    """How many pipelines share the memory there is for blocks on their way."""

    async def check(self, *references: Cid | str) -> None: ...

    async def get(self, cid: Cid, *, offline: bool = ..., timeout: float = ...) -> Block: ...

    def fetcher(
        self, *roots: Cid, offline: bool = ..., timeout: float = ...
    ) -> AbstractAsyncContextManager[Pipeline]: ...
