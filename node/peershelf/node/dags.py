"""Walking DAGs as their blocks come from the store and from peers."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence

from peershelf.blockstore.cid import RAW, Cid
from peershelf.blockstore.dag import guide
from peershelf.blockstore.dag.frontier import StepT
from peershelf.blockstore.dag.pb import Link
from peershelf.blockstore.dag.traversal import Traversal
from peershelf.blockstore.dag.visit import Visit as VisitOf
from peershelf.blockstore.store.base import Hold
from peershelf.node.pipeline import BlockSource, Pipeline
from peershelf.node.read_ahead import share_of
from peershelf.node.taking_in import take_in

Visit = VisitOf[Link]
"""One block of a DAG: its cid, data, size, depth and links."""

_MANY_VISITS = 256
"""Visits that take longer than a hop to a thread, many times over."""


async def walk_dag(
    blocks: BlockSource,
    roots: Sequence[Cid],
    visit: Callable[[Visit], Awaitable[None]],
    *,
    load_leaves: bool = True,
    max_depth: int | None = None,
    offline: bool = False,
    timeout: float = math.inf,
) -> None:
    """Visit each block of the DAGs once: parents before children, first children before siblings.

    Blocks are asked for ahead, so that the whole is one pipeline, bounded in blocks and bytes. Without
    `load_leaves`, raw blocks that are in the store are visited without their data and not read. `max_depth`
    counts links from a root. `timeout` is in seconds, for the whole walk. Raises MalformedBlock,
    UnsupportedCodec, BlockNotFound, CorruptBlock, UnsupportedHash and ContentBlocked at the turn of the
    block in question, and TimedOut and StoreError at once.
    """
    steps = [guide.root(cid) for cid in roots]
    traversal = Traversal(steps, guide.AllLinks(), max_depth=max_depth)
    async with blocks.fetcher(*roots, offline=offline, timeout=timeout) as fetcher:
        await drive(blocks, fetcher, traversal, visit, load_leaves=load_leaves)


async def drive(
    blocks: BlockSource,
    fetcher: Pipeline,
    traversal: Traversal[StepT],
    visit: Callable[[VisitOf[StepT]], Awaitable[None]],
    *,
    load_leaves: bool = True,
    hold: Hold | None = None,
) -> None:
    """Carry a traversal out to its end; leaves that are passed over are held. Raises as `walk_dag` does."""
    while not traversal.done:
        visits = traversal.read()
        for one in visits:
            await visit(one)
        wanted = traversal.wants(share_of(blocks.open_fetchers))
        absent: Sequence[Cid] = ()
        if not load_leaves:
            wanted, absent = await _pass_over_leaves(blocks, traversal, wanted, hold)
        if wanted or absent:
            fetcher.want(wanted, absent)
        elif len(visits) >= _MANY_VISITS:
            # Blocks that are spelled out in their CIDs are never waited for: others need a turn meanwhile.
            await blocks.blocking.run(_nothing)
        if not visits and traversal.is_waiting:
            await take_in(blocks, fetcher, traversal)


async def _pass_over_leaves(
    blocks: BlockSource, traversal: Traversal[StepT], wanted: Sequence[Cid], hold: Hold | None
) -> tuple[list[Cid], list[Cid]]:
    """Tell the traversal which raw blocks the store has; return what may be there, and what is not."""
    leaves = [cid for cid in wanted if cid.codec == RAW]
    if not leaves:
        return list(wanted), []
    here = await blocks.blocking.run(_those_here, blocks, leaves, hold)
    for cid, size in here.items():
        traversal.present(cid, size)
    return [cid for cid in wanted if cid.codec != RAW], [cid for cid in leaves if cid not in here]


def _those_here(blocks: BlockSource, cids: Sequence[Cid], hold: Hold | None) -> dict[Cid, int]:
    refused = blocks.denylists.refusals(cids)
    if refused:
        cids = [cid for cid in cids if cid not in refused]
    return blocks.store.sizes(cids) if hold is None else hold.keep(cids)


def _nothing() -> None:
    """The way to a thread and back is what lets others have their turn."""
