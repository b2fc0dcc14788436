"""What a traversal gives out, and what it has to be told about a kind of DAG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.dag.frontier import StepT


class Guide(Protocol[StepT]):
    """Knows a kind of DAG. Both methods are pure; `expand` may be called from another thread."""

    def loads(self, step: StepT) -> bool:
        """Whether the block that the step leads to is to be loaded. The others are given out without."""
        ...

    def expand(self, step: StepT, data: bytes) -> Sequence[StepT]:
        """Return the steps that lead on from a block, in order. Raises BlockstoreError."""
        ...


@dataclass(frozen=True, slots=True)
class Visit(Generic[StepT]):
    """One block at its turn."""

    step: StepT
    parent: StepT | None
    """The way to the block that links to it here; None for a root."""
    depth: int
    """Links from the root."""
    data: bytes | None
    """None for a block that is not loaded."""
    children: Sequence[StepT]
    size: int = 0
    """Bytes of the block; 0 for one that is not loaded, unless the store told."""

    @property
    def cid(self) -> Cid:
        """The block's CID."""
        return self.step.cid

    @property
    def links(self) -> tuple[Cid, ...]:
        """What the block links to; in a unique traversal without repetitions."""
        return tuple(child.cid for child in self.children)
