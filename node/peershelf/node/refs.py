"""What the blocks of a DAG link to, and how much there is of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.dag import guide
from peershelf.blockstore.dag.frontier import key_of
from peershelf.blockstore.dag.guide import AllLinks
from peershelf.blockstore.dag.pb import Link
from peershelf.blockstore.dag.traversal import Traversal
from peershelf.node.dags import Visit, drive
from peershelf.node.pipeline import BlockSource, Pipeline


@dataclass(frozen=True, slots=True)
class Ref:
    """A link from one block to another."""

    source: Cid
    cid: Cid
    name: bytes
    """Empty for links without one."""


class _FirstLinks(AllLinks):
    """Loads the roots alone: their links are told without following them."""

    def __init__(self, roots: Sequence[Cid]) -> None:
        self._roots = frozenset(roots)

    def loads(self, step: Link) -> bool:
        return step.cid in self._roots


async def send_refs(
    blocks: BlockSource,
    fetcher: Pipeline,
    roots: Sequence[Cid],
    send: Callable[[Ref], Awaitable[None]],
    *,
    recursive: bool,
    unique: bool,
    max_depth: int | None,
) -> None:
    """Send every link below the roots, depth first. `unique` sends the first link to each block only.

    Without `recursive` only the roots are loaded. Raises as drive().
    """
    rules = AllLinks() if recursive else _FirstLinks(roots)
    depth = max_depth if recursive else 1
    traversal = Traversal([guide.root(cid) for cid in roots], rules, unique=unique, max_depth=depth)

    async def visit(one: Visit) -> None:
        if one.parent is not None:
            await send(Ref(one.parent.cid, one.cid, one.step.name or b""))

    await drive(blocks, fetcher, traversal, visit, load_leaves=False)


@dataclass(slots=True)
class DagStat:
    """How much there is below one root; what it has several times counts once."""

    cid: Cid
    size: int = 0
    """Bytes of its blocks."""
    blocks: int = 0


@dataclass(slots=True)
class DagStats:
    """How much there is below some roots."""

    dags: list[DagStat] = field(default_factory=list)
    unique_blocks: int = 0
    total_size: int = 0
    """Bytes of the blocks, those that several have counted once."""

    @property
    def separate_size(self) -> int:
        """Bytes that the DAGs would take if they had nothing in common."""
        return sum(dag.size for dag in self.dags)


class StatCounter:
    """Counts one DAG after another."""

    def __init__(self, report: Callable[[DagStats], Awaitable[None]] | None = None) -> None:
        """`report` is awaited with the counts from time to time."""
        self.stats = DagStats()
        self._report = report
        self._seen: set[bytes] = set()

    async def count(self, blocks: BlockSource, fetcher: Pipeline, root: Cid) -> None:
        """Count all that is below a root. Blocks that are not here are fetched."""
        stat = DagStat(root)
        self.stats.dags.append(stat)

        async def visit(one: Visit) -> None:
            stat.blocks += 1
            stat.size += one.size
            key = key_of(one.cid)
            if key not in self._seen:
                self._seen.add(key)
                self.stats.unique_blocks += 1
                self.stats.total_size += one.size
            if self._report is not None and stat.blocks % _REPORT_EVERY == 0:
                await self._report(self.stats)

        traversal = Traversal([guide.root(root)], AllLinks())
        await drive(blocks, fetcher, traversal, visit, load_leaves=False)


_REPORT_EVERY = 500
