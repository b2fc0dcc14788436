"""Peers and CIDs that tests speak of."""

from __future__ import annotations

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import Cid
from peershelf.protocols.transport import PeerId

A, B, C = PeerId("A"), PeerId("B"), PeerId("C")


def cid_of(number: int) -> Cid:
    return Block.create(number.to_bytes(4, "big")).cid


def cids_of(count: int) -> list[Cid]:
    return [cid_of(number) for number in range(count)]
