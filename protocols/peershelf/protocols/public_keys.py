"""Public keys in libp2p's encoding: what they have signed, and the name that follows from them.

Keys of strangers can be made to be slow, so their sizes are bounded as in go-libp2p.
https://github.com/libp2p/specs/blob/master/peer-ids/peer-ids.md#keys
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from types import MappingProxyType

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256K1,
    SECP256R1,
    SECP384R1,
    SECP521R1,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from peershelf.blockstore import multihash, protobuf
from peershelf.protocols.errors import InvalidRecord

Verify = Callable[[bytes, bytes], None]
"""Checks a signature, the first, of a message. Raises InvalidSignature."""

_TYPE, _DATA = 1, 2
_MAX_INLINE = 42
"""Bytes of an encoded key that is its own name; a longer one is hashed."""
_MAX_KEY = 1_200
"""Bytes of an encoded key: one of RSA with 8,192 bits has 1,066."""
_RSA_BITS = range(2048, 8192 + 1)
_MAX_EXPONENT = 1 << 31


def name_of(key: bytes) -> bytes:
    """Return the multihash that names an encoded key."""
    code = multihash.IDENTITY if len(key) <= _MAX_INLINE else multihash.SHA2_256
    return multihash.multihash(code, key)


def verifier(key: bytes) -> Verify:
    """Return what checks signatures by an encoded key. Raises InvalidRecord."""
    kind, data = _split(key)
    if kind not in _KINDS:
        raise InvalidRecord("the public key is of a kind that is not known")
    try:
        return _KINDS[kind](data)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise InvalidRecord("the public key is malformed") from None


def verify(key: bytes, signature: bytes, message: bytes) -> None:
    """Check a signature by an encoded key. Raises InvalidRecord."""
    check_signature = verifier(key)
    try:
        check_signature(signature, message)
    except InvalidSignature:
        raise InvalidRecord("the signature is not by the key of the name") from None


def _split(key: bytes) -> tuple[int, bytes]:
    """Return kind and bytes of a key in its one encoding: in others, one key would have several names."""
    if len(key) <= _MAX_KEY:
        match list(islice(protobuf.fields(key, InvalidRecord), 2)):
            case [(_, _, int(kind)), (_, _, memoryview() as data)]:
                canonical = protobuf.varint_field(_TYPE, kind) + protobuf.bytes_field(_DATA, data)
                if canonical == key:
                    return kind, bytes(data)
    raise InvalidRecord("the public key is malformed")


def _rsa(data: bytes) -> Verify:
    key = load_der_public_key(data)
    if not isinstance(key, RSAPublicKey) or key.key_size not in _RSA_BITS:
        raise ValueError("a key of RSA has 2048 to 8192 bits")
    if key.public_numbers().e >= _MAX_EXPONENT:
        raise ValueError("to check a signature would take long")
    return lambda signature, message: key.verify(signature, message, PKCS1v15(), SHA256())


def _ed25519(data: bytes) -> Verify:
    return Ed25519PublicKey.from_public_bytes(data).verify


def _secp256k1(data: bytes) -> Verify:
    return _ecdsa_of(EllipticCurvePublicKey.from_encoded_point(SECP256K1(), data))


def _ecdsa(data: bytes) -> Verify:
    key = load_der_public_key(data)
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, _NIST):
        raise ValueError("a key of ECDSA is a point on a curve of NIST")
    return _ecdsa_of(key)


def _ecdsa_of(key: EllipticCurvePublicKey) -> Verify:
    return lambda signature, message: key.verify(signature, message, ECDSA(SHA256()))


_NIST = (SECP256R1, SECP384R1, SECP521R1)
_KINDS: Mapping[int, Callable[[bytes], Verify]] = MappingProxyType(
    {0: _rsa, 1: _ed25519, 2: _secp256k1, 3: _ecdsa}
)
