"""Blocks that have come, on their way to whoever decodes them."""

from __future__ import annotations

from typing import Protocol

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import RAW, Cid
from peershelf.blockstore.errors import BlockstoreError
from peershelf.node.pipeline import BlockSource, Found, Pipeline

_MUCH_TO_DECODE = 32 << 10
"""Bytes of nodes that take about a millisecond to decode."""


class Decoder(Protocol):
    """Takes blocks and what keeps others from coming, and decodes nodes among them."""

    def receive(self, block: Block) -> None: ...
    def fail(self, cid: Cid, error: BlockstoreError) -> None: ...


async def take_in(blocks: BlockSource, fetcher: Pipeline, decoder: Decoder) -> None:
    """Hand on what comes next. Raises what the decoder does, and StoreError."""
    found = await fetcher.receive()
    # A single node that a stranger made can take a second to decode: not in the event loop's thread.
    size = sum(len(block.data) for block in found.blocks if block.cid.codec != RAW)
    if size < _MUCH_TO_DECODE:
        _hand_on(found, decoder)
    else:
        await blocks.blocking.run(_hand_on, found, decoder)


def _hand_on(found: Found, decoder: Decoder) -> None:
    for block in found.blocks:
        decoder.receive(block)
    for cid, error in found.missing.items():
        decoder.fail(cid, error)
