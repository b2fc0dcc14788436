"""Naming every block below a root."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from peershelf.blockstore.block import inline_bytes
from peershelf.blockstore.cid import RAW, Cid
from peershelf.blockstore.dag.links import links


def walk(root: Cid, get: Callable[[Cid], bytes]) -> Iterator[Cid]:
    """Yield the CID of each block of the DAG once: parents before children, first children before siblings.

    Iterative, so that no chain of blocks is too deep, and deduplicated, so that few blocks that link to one
    another in very many ways end soon. Raw blocks link to nothing, so `get` is not asked for them, nor for
    blocks that their CID spells out. Raises what `get` and `links` raise.
    """
    seen: set[Cid] = set()
    pending = [root]
    while pending:
        cid = pending.pop()
        if cid in seen:
            continue
        seen.add(cid)
        yield cid
        pending.extend(child for child in reversed(_children(cid, get)) if child not in seen)


def _children(cid: Cid, get: Callable[[Cid], bytes]) -> tuple[Cid, ...]:
    if cid.codec == RAW:
        return ()
    data = inline_bytes(cid)
    return links(cid, get(cid) if data is None else data)
