"""Visiting every block below a root."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from peershelf.blockstore.block import Block, inline_bytes
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.dag.links import links


def walk(root: Cid, get: Callable[[Cid], bytes]) -> Iterator[Block]:
    """Yield each block of the DAG once, parents before children, a first child before its siblings.

    Iterative, so that no chain of blocks is too deep, and deduplicated, so that few blocks that link to one
    another in very many ways end soon. Blocks that their CID spells out are not asked of `get`.
    Raises what `get` and `links` raise.
    """
    seen: set[Cid] = set()
    pending = [root]
    while pending:
        cid = pending.pop()
        if cid in seen:
            continue
        seen.add(cid)
        data = inline_bytes(cid)
        block = Block(cid, get(cid) if data is None else data)
        yield block
        pending.extend(child for child in reversed(links(cid, block.data)) if child not in seen)
