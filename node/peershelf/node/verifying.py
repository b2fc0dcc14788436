"""Verifying a store: every block is read and hashed, and what pins need is looked for. Blocking."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from peershelf.blockstore.block import inline_bytes
from peershelf.blockstore.cid import RAW, Cid
from peershelf.blockstore.dag.links import links
from peershelf.blockstore.errors import BlockNotFound, CorruptBlock, MalformedBlock, UnsupportedCodec
from peershelf.blockstore.pins import Pins
from peershelf.blockstore.store.base import Blockstore

_BATCH = 64


@dataclass(frozen=True, slots=True)
class Checked:
    """How far verifying is."""

    blocks: int = 0
    size: int = 0
    """Bytes of them."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A block that is not as it should be."""

    cid: Cid
    """As the pin that needs it knows it; a CIDv1 raw where none is known to need it."""
    state: str
    """damaged, missing, malformed; healed, dropped."""
    pin: Cid | None = None
    """A pin that needs it."""


def read_all(store: Blockstore) -> Iterator[tuple[Checked, list[Cid]]]:
    """Read every block, some at a time, and yield how far it is and which of those do not hash right.

    They are named as CIDv1 raw. Raises StoreError.
    """
    done = Checked()
    keys = store.multihashes()
    while some := list(islice(keys, _BATCH)):
        damaged: list[Cid] = []
        for cid in (Cid.v1(RAW, key) for key in some):
            try:
                done = Checked(done.blocks + 1, done.size + len(store.get(cid)))
            except BlockNotFound:
                continue  # removed meanwhile
            except CorruptBlock:
                damaged.append(cid)
        yield done, damaged


class PinCheck:
    """Looks for what pins need. Raw blocks are looked up and not read: read_all() reads all there are."""

    def __init__(self, store: Blockstore, pins: Pins, check: Callable[[], None]) -> None:
        """`check` is called between blocks, and may raise to give up."""
        self._store = store
        self._pins = pins
        self._check = check
        self._seen: set[Cid] = set()

    def broken(self) -> Iterator[Finding]:
        """Yield what is missing, damaged or malformed, each block once. Raises StoreError."""
        for pin in self._pins.list():
            pending = [pin.cid]
            while pending:
                cid = pending.pop()
                if cid in self._seen or inline_bytes(cid) is not None:
                    continue
                self._seen.add(cid)
                self._check()
                try:
                    children = self._children(cid)
                except (BlockNotFound, CorruptBlock, MalformedBlock) as error:
                    yield Finding(cid, _STATES[type(error)], pin.cid)
                    continue
                if pin.recursive:
                    pending += reversed(children)

    def _children(self, cid: Cid) -> Sequence[Cid]:
        if cid.codec != RAW:
            try:
                return links(cid, self._store.get(cid))
            except UnsupportedCodec:
                return ()
        if not self._store.has(cid):
            raise BlockNotFound(f"block {cid} is not in the store")
        return ()


_STATES: dict[type[Exception], str] = {
    BlockNotFound: "missing",
    CorruptBlock: "damaged",
    MalformedBlock: "malformed",
}
