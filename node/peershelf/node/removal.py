"""Taking blocks out of the store without breaking what was promised: a pinned file stays whole."""

from __future__ import annotations

from collections.abc import Iterator

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.dag.walk import walk
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
    """Every block that a pin reaches through what is here."""

    def get(cid: Cid) -> bytes:
        try:
            return store.get(cid)
        except BlockNotFound:
            return b""  # a node without links

    return walk(root, get) if recursive else iter([root])
