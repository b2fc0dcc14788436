"""Having a whole DAG here, and keeping it from being collected until it is pinned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from peershelf.blockstore.block import Block, inline_bytes
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.dag import guide
from peershelf.blockstore.dag.guide import AllLinks
from peershelf.blockstore.dag.pb import Link
from peershelf.blockstore.dag.traversal import Traversal
from peershelf.blockstore.store.base import Hold
from peershelf.node.dags import Visit, drive
from peershelf.node.pipeline import BlockSource, Pipeline

_HELD_AT_ONCE = 2 << 20
_HELD_BLOCKS = 512


@dataclass(frozen=True, slots=True)
class Gathered:
    """How much of a DAG is here for certain."""

    blocks: int = 0
    size: int = 0
    """Bytes of them."""


Progress = Callable[[Gathered], None]


class DagGatherer:
    """Visits every block below a root once, fetching what is not here, and holds all of them.

    A block that was read, or came from a peer, may be collected before it is held. Then its bytes are put
    once more, through the hold.
    """

    def __init__(self, blocks: BlockSource, hold: Hold, progress: Progress | None) -> None:
        self._blocks = blocks
        self._hold = hold
        self._progress = progress or (lambda gathered: None)
        self._waiting: list[Block] = []
        self._waiting_size = 0
        self.gathered = Gathered()

    async def gather(self, fetcher: Pipeline, root: Cid, *, recursive: bool = True) -> None:
        """Have the DAG below a root here and held, or the root alone.

        Raises what drive() raises, such as UnsupportedCodec where links cannot be followed, and StoreError.
        """
        depth = None if recursive else 0
        rules = AllLinks() if recursive else _Bare()
        traversal = Traversal([guide.root(root)], rules, max_depth=depth)
        await drive(self._blocks, fetcher, traversal, self._visit, load_leaves=False, hold=self._hold)
        await self._hold_waiting()

    async def _visit(self, one: Visit) -> None:
        self.gathered = Gathered(self.gathered.blocks + 1, self.gathered.size + one.size)
        self._progress(self.gathered)
        if one.data is None or inline_bytes(one.cid) is not None:
            return
        self._waiting.append(Block(one.cid, one.data))
        self._waiting_size += len(one.data)
        if self._waiting_size >= _HELD_AT_ONCE or len(self._waiting) >= _HELD_BLOCKS:
            await self._hold_waiting()

    async def _hold_waiting(self) -> None:
        waiting, self._waiting, self._waiting_size = self._waiting, [], 0
        if waiting:
            await self._blocks.blocking.run(self._have, waiting)

    def _have(self, blocks: list[Block]) -> None:
        kept = self._hold.keep(block.cid for block in blocks)
        gone = [block for block in blocks if block.cid not in kept]
        if gone:
            self._hold.put_many(gone, durable=False)


class _Bare(AllLinks):
    """For one block, whatever its codec."""

    def expand(self, step: Link, data: bytes) -> tuple[Link, ...]:
        return ()
