"""Turns what arrived into blocks, believing nothing: plain functions, made to run in a thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from peershelf.blockstore import multihash, varint
from peershelf.blockstore.block import MAX_BLOCK_SIZE, Block
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import UnsupportedHash
from peershelf.blockstore.store.base import Blockstore
from peershelf.protocols.bitswap.messages import Payload, Prefix
from peershelf.protocols.transport import PeerId


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a peer sent: a block that was expected of it, or something else of `size` bytes."""

    peer: PeerId
    multihash: bytes | None
    """None for bytes that no block of ours can have."""
    size: int
    block: Block | None


def check(
    parcels: Sequence[tuple[PeerId, Payload]], expected: Mapping[PeerId, frozenset[bytes]]
) -> list[Arrival]:
    """Hash everything, and say what came: blocks are what was expected of whoever sent it, each once."""
    found: set[bytes] = set()
    return [_arrival(peer, payload, expected[peer], found) for peer, payload in parcels]


def store_what_was_expected(store: Blockstore, arrivals: Sequence[Arrival]) -> None:
    """Put the blocks among what came. Raises StoreError."""
    blocks = [arrival.block for arrival in arrivals if arrival.block is not None]
    if blocks:
        store.put_many(blocks, durable=False)


def _arrival(peer: PeerId, payload: Payload, expected: frozenset[bytes], found: set[bytes]) -> Arrival:
    size = len(payload.data)
    if size > MAX_BLOCK_SIZE:
        return Arrival(peer, None, size, None)
    data = bytes(payload.data)
    prefix = payload.prefix
    mh = _multihash(prefix, data)
    if mh is None or mh not in expected or mh in found:
        return Arrival(peer, mh, size, None)
    found.add(mh)
    return Arrival(peer, mh, size, Block(Cid(prefix.version, prefix.codec, mh), data))


def _multihash(prefix: Prefix, data: bytes) -> bytes | None:
    """Hash the data as the prefix says; None where that is nothing that we would ask for."""
    code, length = prefix.hash_code, prefix.digest_size
    if code == multihash.IDENTITY:
        return None
    try:
        mh = multihash.multihash(code, data)
    except UnsupportedHash:
        return None
    digest = multihash.split(mh)[1]
    if length == len(digest):
        return mh
    if not multihash.MIN_DIGEST <= length < len(digest):
        return None
    return varint.encode(code) + varint.encode(length) + digest[:length]


def can_verify(cid: Cid) -> bool:
    """Whether bytes that a stranger sends can be checked against this CID."""
    return _can_verify(cid.hash_code, len(cid.digest))


@lru_cache(maxsize=64)
def _can_verify(code: int, digest_size: int) -> bool:
    if code == multihash.IDENTITY or code not in multihash.HASHES_BY_NAME.values():
        return False
    whole = len(multihash.split(multihash.multihash(code, b""))[1])
    return multihash.MIN_DIGEST <= digest_size <= whole
