"""What a sweep announces.

Nobody is told of a root that was added with --no-provide, nor of what only such roots lead to. What an
announced pin keeps, too, is announced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import filterfalse, islice

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.gc.marking import Marks
from peershelf.blockstore.pins import Pins
from peershelf.blockstore.store.base import Blockstore

_TOGETHER = 4096
"""Blocks that are looked at together."""

Adding = Callable[[], bool]
"""Whether something is being added whose root is not known yet, and must not be announced."""


def roots(store: Blockstore, pins: Pins, adding: Adding) -> Iterable[bytes]:
    """What is pinned itself: enough for whoever asks for a root and goes on from there."""
    unannounced = {cid.multihash for cid in pins.unannounced()}
    return [key for key in dict.fromkeys(pin.cid.multihash for pin in pins.list()) if key not in unannounced]


def pinned(store: Blockstore, pins: Pins, adding: Adding) -> Iterable[bytes]:
    """Every block that an announced pin keeps, as far as it is here."""
    return _kept(store, pins, pins.unannounced())


def everything(store: Blockstore, pins: Pins, adding: Adding) -> Iterable[bytes]:
    """Every block that is stored, but for those of unannounced roots."""
    keys = store.multihashes()
    known: tuple[bool, list[Cid]] | None = None
    while some := list(islice(keys, _TOGETHER)):
        # Asked for after the blocks, so that it covers what was added meanwhile.
        now = adding(), pins.unannounced()
        if now != known:
            known, hides = now, _hiding(store, pins, *now)
        yield from filterfalse(hides, some)


def _hiding(
    store: Blockstore, pins: Pins, adding: bool, unannounced: Sequence[Cid]
) -> Callable[[bytes], bool]:
    if not adding and not unannounced:
        return lambda key: False
    shown = _kept(store, pins, unannounced)
    if adding:
        # Nothing tells its blocks from others that no pin keeps. Those have their turn in the next sweep.
        return lambda key: key not in shown
    marks = Marks(store.get)
    for root in unannounced:
        marks.add_present(root)
    return (marks.live.keys - shown).__contains__


def _kept(store: Blockstore, pins: Pins, unannounced: Sequence[Cid]) -> set[bytes]:
    left_out = {cid.multihash for cid in unannounced}
    marks = Marks(store.get)
    for pin in pins.list():
        if pin.cid.multihash not in left_out:
            marks.add_present(pin.cid) if pin.recursive else marks.live.add(pin.cid.multihash)
    return marks.live.keys - left_out


STRATEGY: Mapping[str, Callable[[Blockstore, Pins, Adding], Iterable[bytes]]] = {
    "roots": roots,
    "pinned": pinned,
    "all": everything,
}
