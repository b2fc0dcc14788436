"""Blocks: bytes together with the CID that they hash to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Self

from peershelf.blockstore import multihash
from peershelf.blockstore.cid import RAW, Cid
from peershelf.blockstore.errors import BlockTooLarge, HashMismatch

MAX_BLOCK_SIZE = 2 * 1024 * 1024
"""Largest block in bytes: what the network accepts."""


@dataclass(frozen=True, slots=True)
class Block:
    """Bytes and their CID.

    Every Block's data hashes to its CID. The constructor does not check, for code that has just hashed;
    bytes from anywhere else come in through create() or verify().
    """

    cid: Cid
    data: bytes

    @classmethod
    def create(
        cls, data: bytes, *, codec: int = RAW, hash_code: int = multihash.SHA2_256, version: int = 1
    ) -> Self:
        """Hash `data` into a new block.

        Raises BlockTooLarge, UnsupportedHash, or InvalidCid for a version 0 that is not dag-pb and SHA2-256.
        """
        _check_size(data)
        digest = multihash.multihash(hash_code, data)
        return cls(Cid.v0(digest) if version == 0 else Cid.v1(codec, digest), data)

    @classmethod
    def verify(cls, cid: Cid, data: bytes) -> Self:
        """Hash `data` against `cid`. Raises HashMismatch, UnsupportedHash or BlockTooLarge."""
        _check_size(data)
        if not multihash.matches(cid.multihash, data):
            raise HashMismatch(f"the bytes do not hash to {cid}")
        return cls(cid, data)


def inline_bytes(cid: Cid) -> bytes | None:
    """Return the block's bytes where the CID alone tells them, else None.

    So it is with identity CIDs, which carry their bytes, and with the empty block.
    """
    if cid.hash_code == multihash.IDENTITY:
        return cid.digest
    return b"" if cid.multihash in _empty_multihashes() else None


@cache
def _empty_multihashes() -> frozenset[bytes]:
    return frozenset(multihash.multihash(code, b"") for code in multihash.HASHES_BY_NAME.values())


def _check_size(data: bytes) -> None:
    if len(data) > MAX_BLOCK_SIZE:
        raise BlockTooLarge(f"a block of {len(data)} bytes is over the limit of {MAX_BLOCK_SIZE}")
