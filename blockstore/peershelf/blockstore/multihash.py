"""Multihashes: a digest that says which function made it, and how long it is.

Only functions on a short list are computed or believed, and only digests of 20 to 128 bytes: fewer bits can
be forged. A digest may be a prefix of the function's output. https://github.com/multiformats/multihash
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from types import MappingProxyType

from peershelf.blockstore import varint
from peershelf.blockstore.errors import InvalidCid, UnsupportedHash, quoted

IDENTITY = 0x00
SHA2_256 = 0x12
SHA2_512 = 0x13
SHA3_512 = 0x14
SHA3_256 = 0x16
BLAKE3 = 0x1E
BLAKE2B_256 = 0xB220

MIN_DIGEST = 20
MAX_DIGEST = 128

HASHES_BY_NAME: Mapping[str, int] = MappingProxyType(
    {
        "sha2-256": SHA2_256,
        "sha2-512": SHA2_512,
        "sha3-256": SHA3_256,
        "sha3-512": SHA3_512,
        "blake2b-256": BLAKE2B_256,
        "blake3": BLAKE3,
        "identity": IDENTITY,
    }
)
"""The functions that we compute and believe, by their multicodec names."""

Buffer = bytes | bytearray | memoryview


def _blake2b_256(data: Buffer) -> bytes:
    return hashlib.blake2b(data, digest_size=32).digest()


def _blake3(data: Buffer, length: int = 32) -> bytes:
    from blake3 import blake3

    return blake3(data).digest(length)


_DIGESTS: Mapping[int, Callable[[Buffer], bytes]] = {
    IDENTITY: bytes,
    SHA2_256: lambda data: hashlib.sha256(data).digest(),
    SHA2_512: lambda data: hashlib.sha512(data).digest(),
    SHA3_256: lambda data: hashlib.sha3_256(data).digest(),
    SHA3_512: lambda data: hashlib.sha3_512(data).digest(),
    BLAKE2B_256: _blake2b_256,
    BLAKE3: _blake3,
}


def hash_code(name: str) -> int:
    """Return the multicodec of a hash function's name. Raises UnsupportedHash, which names those known."""
    code = HASHES_BY_NAME.get(name)
    if code is None:
        raise UnsupportedHash(f"unknown hash {quoted(name)}; known are {', '.join(HASHES_BY_NAME)}")
    return code


def multihash(code: int, data: Buffer) -> bytes:
    """Hash `data` and return the multihash. Raises UnsupportedHash; identity takes up to 128 bytes."""
    function = _DIGESTS.get(code)
    if function is None:
        raise UnsupportedHash(f"hash function 0x{code:x} is not supported")
    if code == IDENTITY and len(data) > MAX_DIGEST:
        raise UnsupportedHash(f"the identity hash holds at most {MAX_DIGEST} bytes; use sha2-256")
    digest = function(data)
    return varint.encode(code) + varint.encode(len(digest)) + digest


def split(mh: bytes) -> tuple[int, bytes]:
    """Return function code and digest of one whole multihash. Raises InvalidCid if it is malformed."""
    try:
        code, offset = varint.decode(mh)
        length, offset = varint.decode(mh, offset)
    except varint.InvalidVarint as error:
        raise InvalidCid(f"malformed multihash: {error}") from None
    if len(mh) - offset != length:
        raise InvalidCid("malformed multihash: its digest is not as long as it says")
    return code, mh[offset:]


def matches(mh: bytes, data: Buffer) -> bool:
    """Tell whether `data` hashes to `mh`.

    Raises UnsupportedHash if the function is not on the list or the digest is shorter than 20 bytes
    (identity excepted) or longer than 128, InvalidCid if `mh` is malformed.
    """
    code, digest = split(mh)
    function = _DIGESTS.get(code)
    if function is None:
        raise UnsupportedHash(f"hash function 0x{code:x} is not supported")
    if len(digest) > MAX_DIGEST or (code != IDENTITY and len(digest) < MIN_DIGEST):
        raise UnsupportedHash(f"a digest of {len(digest)} bytes is not accepted")
    if code == IDENTITY:
        return digest == data
    if code == BLAKE3:
        return _blake3(data, len(digest)) == digest
    return function(data)[: len(digest)] == digest
