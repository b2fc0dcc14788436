"""Places in the key space: SHA2-256 of what is looked for, as a number; near is what has a small XOR."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256

from peershelf.blockstore import bases, multihash
from peershelf.blockstore.errors import InvalidCid, quoted
from peershelf.protocols.errors import MalformedMessage
from peershelf.protocols.transport import PeerId

BITS = 256
MAX_PEER_ID = 64
"""Bytes of the longest peer ID that is taken."""

Key = int


def key_of(name: bytes) -> Key:
    """Return the place of a name: the bytes of a peer ID, or the multihash of a block."""
    return int.from_bytes(sha256(name).digest(), "big")


def shared_bits(one: Key, other: Key) -> int:
    """Return how many leading bits two places have in common, 0 to 256."""
    return BITS - (one ^ other).bit_length()


@lru_cache(maxsize=8192)
def key_of_peer(peer: PeerId) -> Key:
    """Return a peer's place."""
    return key_of(peer_bytes(peer))


@lru_cache(maxsize=8192)
def peer_bytes(peer: PeerId) -> bytes:
    """Return the bytes of a peer ID in base58btc. Raises InvalidCid for text that is none."""
    try:
        return bases.decode_base58_with_zeros(peer)
    except ValueError:
        raise InvalidCid(f"{quoted(peer)} is no peer ID") from None


def peer_from_bytes(data: bytes) -> PeerId:
    """Return a peer ID's text. Raises MalformedMessage for bytes that are none."""
    if not 2 <= len(data) <= MAX_PEER_ID:
        raise MalformedMessage("a peer ID has a wrong length")
    try:
        multihash.split(data)
    except InvalidCid:
        raise MalformedMessage("a peer ID is no multihash") from None
    return PeerId(bases.encode_base58_with_zeros(data))
