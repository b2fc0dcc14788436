"""HAMT directories: which slot of which shard an entry belongs in, and how large a tree of shards may be.

An entry's place is given by the hash of its name. The shard at depth 0, the root, takes the highest bits of
the hash, as many as number its slots, its children take the bits after those, and so on until there are no
bits left. The limits bound what a stranger's directory may cost (CVE-2023-23625), and hold for our own, so
that everybody can read them.
https://specs.ipfs.tech/unixfs/#dag-pb-hamtdirectory
"""

from __future__ import annotations

from peershelf.blockstore.errors import MalformedBlock
from peershelf.blockstore.unixfs.message import Data

MIN_FANOUT = 8
MAX_FANOUT = 1024
"""Fewest and most slots of a shard; always a power of two."""

MURMUR3_X64_64 = 0x22
"""The multicodec of the only hash function."""

_HASH_BITS = 64


def is_fanout(value: int) -> bool:
    """Tell whether shards may have so many slots."""
    return MIN_FANOUT <= value <= MAX_FANOUT and value & (value - 1) == 0


def fanout_of(content: Data) -> int:
    """Return the number of slots of a shard. Raises MalformedBlock if that, or its hash, is unknown here."""
    fanout = content.fanout or 0
    if content.hash_type != MURMUR3_X64_64 or not is_fanout(fanout):
        raise MalformedBlock(f"malformed directory: shards use murmur3 and 8 to {MAX_FANOUT} slots")
    return fanout


def levels(fanout: int) -> int:
    """Return the most shards on the way to an entry, which is as many as the hash has bits for."""
    return _HASH_BITS // _bits(fanout)


def shift(fanout: int, depth: int) -> int:
    """Return how far to shift a name's hash right, so that its last bits are the slot at this depth."""
    return _HASH_BITS - _bits(fanout) * (depth + 1)


def slot_name(slot: int, fanout: int) -> bytes:
    """Return what the names of a slot's links begin with: its number, in upper-case hexadecimal."""
    return f"{slot:0{width(fanout)}X}".encode()


def width(fanout: int) -> int:
    """Return how many digits these numbers have."""
    return len(f"{fanout - 1:X}")


def _bits(fanout: int) -> int:
    return fanout.bit_length() - 1
