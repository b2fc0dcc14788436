"""The plain guide of a traversal: every link of every block, whatever the blocks stand for."""

from __future__ import annotations

from collections.abc import Sequence

from peershelf.blockstore.cid import DAG_PB, Cid
from peershelf.blockstore.dag import pb
from peershelf.blockstore.dag.links import links
from peershelf.blockstore.dag.pb import Link


class AllLinks:
    """Follows every link."""

    def loads(self, step: Link) -> bool:
        """Every block is loaded."""
        return True

    def expand(self, step: Link, data: bytes) -> Sequence[Link]:
        """Return the links of a block. Raises MalformedBlock, UnsupportedCodec."""
        if step.cid.codec == DAG_PB:
            return pb.decode(data).links
        return tuple(Link(cid) for cid in links(step.cid, data))


def root(cid: Cid) -> Link:
    """Make the step that leads to a root."""
    return Link(cid)
