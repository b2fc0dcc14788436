"""What a sweep announces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from peershelf.blockstore.gc.marking import Marks
from peershelf.blockstore.pins import Pins
from peershelf.blockstore.store.base import Blockstore


def roots(store: Blockstore, pins: Pins) -> Iterable[bytes]:
    """What is pinned itself: enough for whoever asks for a root and goes on from there."""
    return dict.fromkeys(pin.cid.multihash for pin in pins.list())


def pinned(store: Blockstore, pins: Pins) -> Iterable[bytes]:
    """Every block that a pin keeps, as far as it is here."""
    marks = Marks(store.get)
    for pin in pins.list():
        marks.add_present(pin.cid) if pin.recursive else marks.live.add(pin.cid.multihash)
    return marks.live.keys


def everything(store: Blockstore, pins: Pins) -> Iterable[bytes]:
    """Every block that is stored."""
    return store.multihashes()


STRATEGY: Mapping[str, Callable[[Blockstore, Pins], Iterable[bytes]]] = {
    "roots": roots,
    "pinned": pinned,
    "all": everything,
}
