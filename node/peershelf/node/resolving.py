"""From what a user calls something to its CID. By itself, since most commands name roots alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.path import parse_reference

if TYPE_CHECKING:
    from peershelf.node.pipeline import Pipeline


async def resolve(fetcher: Pipeline, reference: Cid | str) -> Cid:
    """Follow a path to what it leads to, whose own block is not fetched.

    Raises InvalidPath, InvalidCid, PathNotFound, MalformedBlock, and what keeps blocks from being had.
    """
    root, names = parse_reference(reference) if isinstance(reference, str) else (reference, ())
    if not names:
        return root
    from peershelf.blockstore.unixfs.resolve import PathResolver

    resolver = PathResolver(root, names)
    while (wanted := resolver.wanted) is not None:
        resolver.receive(await fetcher.get(wanted))
    assert resolver.result is not None
    return resolver.result
