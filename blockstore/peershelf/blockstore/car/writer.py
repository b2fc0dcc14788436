"""Writing CARs, version 1. https://ipld.io/specs/transport/car/carv1/"""

from __future__ import annotations

from collections.abc import Sequence

from peershelf.blockstore import varint
from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.ipld import dag_cbor


def header(roots: Sequence[Cid]) -> bytes:
    """Return what a CAR begins with."""
    data = dag_cbor.encode({"roots": list(roots), "version": 1})
    return varint.encode(len(data)) + data


def section(block: Block) -> tuple[bytes, bytes]:
    """Return what stands before a block's bytes, and the bytes."""
    cid = block.cid.to_bytes()
    return varint.encode(len(cid) + len(block.data)) + cid, block.data
