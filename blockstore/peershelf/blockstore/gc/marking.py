"""Marking: which blocks must stay, found by following links from pins and from what is being read.

Theory of operation. One set holds the multihashes of all blocks that must stay, about 100 bytes for each; raw
leaves are entered without being read. Nodes are remembered beside it with their codec, since the same bytes
link to nothing as raw and to much as dag-pb. A pinned DAG has to be whole: what is below a node that is
missing or damaged cannot be known, so marking ends there, before anything is removed. Below a temporary root
what is not here is passed over: it is still on its way, and whoever reads has no promise to keep.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from peershelf.blockstore.block import inline_bytes
from peershelf.blockstore.cid import DAG_PB, RAW, Cid
from peershelf.blockstore.dag.fast_links import Target, raw_leaves, targets
from peershelf.blockstore.errors import (
    BlockNotFound,
    BlockstoreError,
    BrokenPin,
    CorruptBlock,
    MalformedBlock,
    UnsupportedCodec,
)
from peershelf.blockstore.multihash import IDENTITY
from peershelf.blockstore.pins import Pin
from peershelf.blockstore.store.live import LiveKeys

_MOST_AT_A_TIME = 0.002
"""Seconds of work without a pause."""


class Marks:
    """The blocks that must stay. For one thread at a time; pins are added first, then what is read.

    `get` reads a block as a store does. `check` is called between blocks, and may raise to give up.
    """

    def __init__(self, get: Callable[[Cid], bytes], check: Callable[[], None] = lambda: None) -> None:
        self._get = get
        self._check = check
        self._rested = 0.0
        self._expanded: set[Target] = set()
        self.live = LiveKeys()
        """The blocks that must stay."""

    def add_pin(self, pin: Pin) -> None:
        """Mark what a pin keeps. Raises BrokenPin if the DAG is not whole, StoreError."""
        self.live.add(pin.cid.multihash)
        if not pin.recursive:
            return
        for target, error in self._spread(pin.cid):
            cid = Cid(1, *target)
            raise BrokenPin(
                f"{cid}, which the pin of {pin.cid} needs, cannot be read ({_reason(error)}): "
                f"`node repo verify --heal` fetches it again, `node pin rm` gives the pin up"
            )

    def add_present(self, root: Cid) -> None:
        """Mark a root, and below it what is here. Raises StoreError."""
        self.live.add(root.multihash)
        for _ in self._spread(root):
            pass

    def name_of(self, key: bytes) -> Cid:
        """The CID by which a marked block is known: a node's if a link says so, else that of raw bytes."""
        codecs = {codec for codec, _ in self._expanded}
        return Cid.v1(next((codec for codec in codecs if (codec, key) in self._expanded), RAW), key)

    def _spread(self, root: Cid) -> list[tuple[Target, BlockstoreError]]:
        """Mark all that is below a root. Returns the nodes that could not be read."""
        broken: list[tuple[Target, BlockstoreError]] = []
        pending = [(root.codec, root.multihash)]
        while pending:
            target = pending.pop()
            if target[0] == RAW or target in self._expanded:
                continue
            self._expanded.add(target)
            try:
                pending += self._enter_links(target)
            except (BlockNotFound, CorruptBlock, MalformedBlock) as error:
                broken.append((target, error))
        return broken

    def _be_polite(self) -> None:
        """Let go of the interpreter's lock, which others would else wait for a whole switch interval."""
        now = time.monotonic()
        if now - self._rested >= _MOST_AT_A_TIME:
            time.sleep(0)
            self._rested = now

    def _enter_links(self, target: Target) -> list[Target]:
        """Mark what a node links to. Returns those that may have links themselves."""
        self._check()
        self._be_polite()
        cid = Cid(1, *target)
        data = inline_bytes(cid)
        if data is None:
            data = self._get(cid)
        leaves = raw_leaves(data) if cid.codec == DAG_PB else None
        if leaves is not None:
            self.live.update(leaves)
            return []
        found = _readable_targets(cid, data)
        self.live.update([key for _, key in found if key[0] != IDENTITY])
        return [one for one in found if one[0] != RAW and one not in self._expanded]


def _readable_targets(cid: Cid, data: bytes) -> list[Target]:
    try:
        return list(targets(cid, data))
    except UnsupportedCodec:
        # Nobody here can follow its links, so nothing was ever fetched or promised because of them.
        return []


def _reason(error: BlockstoreError) -> str:
    if isinstance(error, BlockNotFound):
        return "missing"
    return "damaged" if isinstance(error, CorruptBlock) else "malformed"
