"""Reading blocks out of the store in batches, in whatever thread the caller is, past the denylists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from peershelf.blockstore.block import Block, inline_bytes
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import BlockNotFound, BlockstoreError, CorruptBlock
from peershelf.blockstore.store.base import Blockstore
from peershelf.node.denylists.denylists import Denylists

if TYPE_CHECKING:
    from peershelf.node.denylists.errors import ContentBlocked

BATCH_BYTES = 2 << 20
_BATCH = 64

_HOW_TO_ASK = "use `node daemon`, or cat --peer ADDR"
_HOW_TO_ASK_AT_ALL = "leave out --offline"

Absent = dict[Cid, BlockNotFound | CorruptBlock | None]
"""What the store cannot give, with its word on it if it was asked for more than whether it is there."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What has come of the first of some blocks that were to be read."""

    blocks: list[Block]
    absent: Absent
    refused: Mapping[Cid, ContentBlocked]
    left: Sequence[Cid] = ()
    """What is for next time, since a batch is not to have much more than BATCH_BYTES."""


def read_batch(store: Blockstore, denylists: Denylists, cids: Sequence[Cid]) -> Batch:
    """Read and hash the first of these blocks. Raises StoreError, UnsupportedHash."""
    blocks: list[Block] = []
    absent: Absent = {}
    refused = denylists.refusals(cids)
    if refused:
        cids = [cid for cid in cids if cid not in refused]
    here = store.sizes(cids)
    size = 0
    for number, cid in enumerate(cids):
        if size >= BATCH_BYTES:
            return Batch(blocks, absent, refused, cids[number:])
        data = inline_bytes(cid)
        if data is None and cid not in here:
            absent[cid] = None
            continue
        try:
            blocks.append(Block(cid, store.get(cid) if data is None else data))
            size += len(blocks[-1].data)
        except (BlockNotFound, CorruptBlock) as error:
            # A damaged copy is as good as none where a peer may have a sound one.
            absent[cid] = error
    return Batch(blocks, absent, refused)


def nobody_was_asked(absent: Absent, *, offline: bool) -> Mapping[Cid, BlockstoreError]:
    """What to say of what the store cannot give where nobody else is asked; `offline` was wished for."""
    hint = _HOW_TO_ASK_AT_ALL if offline else _HOW_TO_ASK
    errors = {
        cid: error or BlockNotFound(f"block {cid} is not in the store") for cid, error in absent.items()
    }
    return {cid: type(error)(f"{error}, and no peer was asked: {hint}") for cid, error in errors.items()}


def shares(cids: Sequence[Cid], readers: int) -> Iterator[Sequence[Cid]]:
    """Cut what is wanted into batches for so many who read side by side."""
    count = max(1, min(_BATCH, -(-len(cids) // readers)))
    for start in range(0, len(cids), count):
        yield cids[start : start + count]
