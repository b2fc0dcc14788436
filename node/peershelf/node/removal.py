"""Taking blocks out of the store without breaking what was promised: a pinned file stays whole."""

from __future__ import annotations

from collections.abc import Sequence

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import BlockNotFound
from peershelf.blockstore.pins import Pins
from peershelf.blockstore.store.base import Blockstore
from peershelf.node.errors import StillPinned
from peershelf.node.pinned import holders


def remove(store: Blockstore, pins: Pins, cids: Sequence[Cid]) -> dict[Cid, BlockNotFound | StillPinned]:
    """Remove those blocks that are there and that no pinned DAG needs. Returns why others stay. Blocking."""
    refused: dict[Cid, BlockNotFound | StillPinned] = {}
    for cid in cids:
        if not store.has(cid):
            refused[cid] = BlockNotFound(f"{cid} is not in the store")
    present = [cid for cid in cids if cid not in refused]
    for cid, holder in holders(store, pins, present).items():
        refused[cid] = StillPinned(f"{cid} is needed by the pin of {holder.pin}; it was not removed")
    store.delete_many(cid for cid in present if cid not in refused)
    return refused
