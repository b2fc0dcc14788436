"""What pins keep: which block is kept by which pin, all that they keep, and whether it is whole. Blocking."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from peershelf.blockstore.block import inline_bytes
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.dag.links import links
from peershelf.blockstore.dag.walk import walk
from peershelf.blockstore.errors import (
    BlockNotFound,
    BlockstoreError,
    CorruptBlock,
    MalformedBlock,
    UnsupportedCodec,
)
from peershelf.blockstore.gc.marking import Marks
from peershelf.blockstore.pins import Pin, Pins
from peershelf.blockstore.store.base import Blockstore


def holders(store: Blockstore, pins: Pins, cids: Iterable[Cid]) -> dict[Cid, Cid]:
    """Which of the blocks are reached from a pin through what is here, each with the first such pin."""
    wanted = dict.fromkeys(cids)
    found: dict[Cid, Cid] = {}
    marks = Marks(store.get)
    for pin in pins.list():
        if not wanted:
            break
        if pin.recursive:
            marks.add_present(pin.cid)
        else:
            marks.keys.add(pin.cid.multihash)
        for cid in [cid for cid in wanted if cid.multihash in marks.keys]:
            found[cid] = pin.cid
            del wanted[cid]
    return found


def indirect(store: Blockstore, pins: Pins) -> Iterator[Cid]:
    """Every CID below a recursive pin, once, as far as it can be found out from what is here."""

    def links_of(cid: Cid) -> bytes:
        try:
            return store.get(cid)
        except (BlockNotFound, CorruptBlock):
            return b""  # a node without links

    seen: set[Cid] = set()
    for pin in pins.list():
        if pin.recursive:
            for cid in walk(pin.cid, links_of):
                if cid != pin.cid and cid not in seen:
                    seen.add(cid)
                    yield cid


@dataclass(frozen=True, slots=True)
class BadBlock:
    """A block that a pin needs and that is not here, or not right."""

    cid: Cid
    reason: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What came of verifying one pin."""

    pin: Pin
    bad: tuple[BadBlock, ...]


class PinVerifier:
    """Reads every block that pins need, each once, which hashes it."""

    def __init__(self, store: Blockstore, pins: Pins, on_block: Callable[[int], None]) -> None:
        """`on_block` is told the size of each block that was read; it may raise to give up."""
        self._store = store
        self._pins = pins
        self._on_block = on_block
        self._links: dict[Cid, tuple[Cid, ...]] = {}
        self._leaves: set[Cid] = set()
        self._bad: dict[Cid, BadBlock] = {}

    def verify(self) -> Iterator[Verified]:
        """Verify one pin after the other. Raises StoreError."""
        for pin in self._pins.list():
            yield Verified(pin, tuple(self._bad_below(pin)))

    def _bad_below(self, pin: Pin) -> Iterator[BadBlock]:
        seen = {pin.cid}
        pending = [pin.cid]
        while pending:
            cid = pending.pop()
            children = self._read(cid)
            if cid in self._bad:
                yield self._bad[cid]
            if pin.recursive:
                fresh = [child for child in children if child not in seen]
                seen.update(fresh)
                pending += reversed(fresh)

    def _read(self, cid: Cid) -> tuple[Cid, ...]:
        if cid in self._leaves or cid in self._bad:
            return ()
        if cid in self._links:
            return self._links[cid]
        try:
            data = inline_bytes(cid)
            if data is None:
                data = self._store.get(cid)
            self._on_block(len(data))
            children = links(cid, data)
        except UnsupportedCodec:
            children = ()
        except (BlockNotFound, CorruptBlock, MalformedBlock) as error:
            self._bad[cid] = BadBlock(cid, _reason(error))
            return ()
        if children:
            self._links[cid] = children
        else:
            self._leaves.add(cid)
        return children


def _reason(error: BlockstoreError) -> str:
    if isinstance(error, BlockNotFound):
        return "missing"
    return "damaged" if isinstance(error, CorruptBlock) else "malformed"
