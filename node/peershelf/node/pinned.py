"""What pins keep: which block is kept by which pin, all that they keep, and whether it is whole. Blocking."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from peershelf.blockstore.block import inline_bytes
from peershelf.blockstore.cid import DAG_PB, RAW, Cid
from peershelf.blockstore.dag.fast_links import Target, raw_leaves
from peershelf.blockstore.dag.links import links
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


@dataclass(frozen=True, slots=True)
class Holder:
    """What keeps a block."""

    pin: Cid
    name: Cid
    """How the pin knows the block."""


def holders(
    store: Blockstore,
    pins: Pins,
    cids: Iterable[Cid],
    *,
    only_recursive: bool = False,
    check: Callable[[], None] = lambda: None,
) -> dict[Cid, Holder]:
    """Which of the blocks are reached from a pin through what is here, each with the first such pin.

    `check` is called between blocks, and may raise to give up.
    """
    wanted = dict.fromkeys(cids)
    found: dict[Cid, Holder] = {}
    marks = Marks(store.get, check)
    for pin in pins.list():
        if not wanted:
            break
        if pin.recursive:
            marks.add_present(pin.cid)
        elif not only_recursive:
            marks.live.add(pin.cid.multihash)
        for cid in [cid for cid in wanted if cid.multihash in marks.live.keys]:
            is_pinned = cid.multihash == pin.cid.multihash
            found[cid] = Holder(pin.cid, pin.cid if is_pinned else marks.name_of(cid.multihash))
            del wanted[cid]
    return found


def indirect(store: Blockstore, pins: Pins) -> Iterator[Cid]:
    """Every CID below a recursive pin that is not pinned itself, once, as far as what is here tells.

    Each node is read once, in however many pins it is, and raw leaves are not read at all. Memory is about
    130 bytes for each CID.
    """
    told = {pin.cid.to_bytes() for pin in pins.list()}
    expanded: set[Target] = set()
    for pin in pins.list():
        pending = [pin.cid] if pin.recursive else []
        while pending:
            cid = pending.pop()
            if (cid.codec, cid.multihash) in expanded:
                continue
            expanded.add((cid.codec, cid.multihash))
            children = _links_here(store, cid)
            pending += [child for child in reversed(children) if child.codec != RAW]
            for child in children:
                key = child.to_bytes()
                if key not in told:
                    told.add(key)
                    yield child


def _links_here(store: Blockstore, cid: Cid) -> Sequence[Cid]:
    """The links of a block, none if they cannot be read."""
    try:
        data = inline_bytes(cid)
        if data is None:
            data = store.get(cid)
        leaves = raw_leaves(data) if cid.codec == DAG_PB else None
        return links(cid, data) if leaves is None else [Cid(1, RAW, leaf) for leaf in leaves]
    except (BlockNotFound, CorruptBlock, MalformedBlock, UnsupportedCodec):
        return ()


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
    """Reads every block that pins need, each once in however many pins it is, which hashes it.

    Theory of operation. A recursive pin's DAG is gone through depth first. What was read for an earlier pin
    is not entered again; of such a node it is only known whether there is something bad below it, which is
    all that tells a whole pin from a broken one. What is bad below a broken one is then looked for in a
    second walk, through such nodes alone. So memory is about 130 bytes for each block.
    """

    def __init__(self, store: Blockstore, pins: Pins, on_block: Callable[[int], None]) -> None:
        """`on_block` is told the size of each block that was read; it may raise to give up."""
        self._store = store
        self._pins = pins
        self._on_block = on_block
        self._seen: set[bytes] = set()
        self._bad: dict[Cid, BadBlock] = {}
        self._above_bad: set[Cid] = set()

    def verify(self) -> Iterator[Verified]:
        """Verify one pin after the other. Raises StoreError."""
        for pin in self._pins.list():
            if pin.recursive:
                self._read_below(pin.cid)
            elif pin.cid.to_bytes() not in self._seen:
                self._read(pin.cid)
            yield Verified(pin, tuple(self._bad_below(pin)))

    def _read_below(self, root: Cid) -> None:
        path = [(root, self._enter(root))]
        while path:
            cid, children = path[-1]
            child = next(children, None)
            if child is not None:
                path.append((child, self._enter(child)))
                continue
            path.pop()
            if path and (cid in self._bad or cid in self._above_bad):
                self._above_bad.add(path[-1][0])

    def _enter(self, cid: Cid) -> Iterator[Cid]:
        key = cid.to_bytes()
        if key in self._seen:
            return iter(())
        self._seen.add(key)
        return iter(self._read(cid))

    def _bad_below(self, pin: Pin) -> Iterator[BadBlock]:
        seen = {pin.cid}
        pending = [pin.cid]
        while pending:
            cid = pending.pop()
            if cid in self._bad:
                yield self._bad[cid]
            elif pin.recursive and cid in self._above_bad:
                fresh = dict.fromkeys(child for child in self._read(cid) if child not in seen)
                seen.update(fresh)
                pending += reversed(fresh)

    def _read(self, cid: Cid) -> tuple[Cid, ...]:
        try:
            data = inline_bytes(cid)
            if data is None:
                data = self._store.get(cid)
            self._on_block(len(data))
            return links(cid, data)
        except UnsupportedCodec:
            return ()
        except (BlockNotFound, CorruptBlock, MalformedBlock) as error:
            self._bad[cid] = BadBlock(cid, _reason(error))
            return ()


def _reason(error: BlockstoreError) -> str:
    if isinstance(error, BlockNotFound):
        return "missing"
    return "damaged" if isinstance(error, CorruptBlock) else "malformed"
