"""Taking blocks out of the store without breaking what was promised: a pinned file stays whole."""

from __future__ import annotations

from collections.abc import Iterator

from peershelf.blockstore.cid import RAW, Cid
from peershelf.blockstore.dag.links import links
from peershelf.blockstore.errors import BlockNotFound
from peershelf.blockstore.pins import Pins
from peershelf.blockstore.store.base import Blockstore
from peershelf.node.errors import StillPinned


def remove(store: Blockstore, pins: Pins, cid: Cid) -> None:
    """Remove one block. Raises BlockNotFound, and StillPinned if a pinned DAG needs it. Blocking."""
    if not store.has(cid):
        raise BlockNotFound(f"{cid} is not in the store")
    for pin in pins.list():
        if any(needed.multihash == cid.multihash for needed in _reached(store, pin.cid, pin.recursive)):
            raise StillPinned(f"{cid} is needed by the pin of {pin.cid}; it was not removed")
    store.delete_many([cid])


def _reached(store: Blockstore, root: Cid, recursive: bool) -> Iterator[Cid]:
    """Every block of a pin that is here; leaves are named without being read."""
    waiting, seen = [root], {root.multihash}
    while waiting:
        cid = waiting.pop()
        yield cid
        for child in _children(store, cid) if recursive else ():
            if child.multihash not in seen:
                seen.add(child.multihash)
                waiting.append(child)


def _children(store: Blockstore, cid: Cid) -> tuple[Cid, ...]:
    if cid.codec == RAW:
        return ()
    try:
        return links(cid, store.get(cid))
    except BlockNotFound:
        return ()
