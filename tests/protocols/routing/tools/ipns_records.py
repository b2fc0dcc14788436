"""IPNS records, signed as whoever owns a name signs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from peershelf.blockstore import protobuf
from peershelf.blockstore.ipld import dag_cbor
from peershelf.protocols import public_keys

PATH = b"/ipfs/bafkqaaa"
FAR = b"2100-01-01T00:00:00.000000001Z"
DER = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


class Owner:
    """Somebody with a key, and so with a name."""

    def __init__(self, kind: int, public: bytes, sign: Callable[[bytes], bytes]) -> None:
        self.public_key = protobuf.varint_field(1, kind) + protobuf.bytes_field(2, public)
        self.sign = sign
        self.name = public_keys.name_of(self.public_key)
        self.key = b"/ipns/" + self.name

    def record(
        self,
        sequence: int = 0,
        *,
        ends: bytes = FAR,
        said: Mapping[str, Any] | None = None,
        more: Mapping[int, int | bytes] | None = None,
    ) -> bytes:
        """A record; `said` and `more` change what is signed, and the fields of protobuf."""
        document = {"Value": PATH, "Validity": ends, "ValidityType": 0, "Sequence": sequence, "TTL": 60}
        document |= said or {}
        data = dag_cbor.encode({name: item for name, item in document.items() if item is not None})
        fields: dict[int, int | bytes] = {8: self.sign(b"ipns-signature:" + data), 9: data}
        if len(self.public_key) > 42:
            fields[7] = self.public_key
        return written(fields | (more or {}))


def written(fields: Mapping[int, int | bytes]) -> bytes:
    return b"".join(
        protobuf.varint_field(number, value)
        if isinstance(value, int)
        else protobuf.bytes_field(number, value)
        for number, value in sorted(fields.items())
    )


def ed25519(number: int = 1) -> Owner:
    key = Ed25519PrivateKey.from_private_bytes(number.to_bytes(32, "big"))
    return Owner(1, key.public_key().public_bytes_raw(), key.sign)


@cache
def rsa_owner(bits: int = 2048) -> Owner:
    key = rsa.generate_private_key(65537, bits)
    return Owner(
        0, key.public_key().public_bytes(*DER), lambda data: key.sign(data, padding.PKCS1v15(), SHA256())
    )


def elliptic(kind: int, curve: ec.EllipticCurve) -> Owner:
    key = ec.generate_private_key(curve)
    form = (Encoding.X962, PublicFormat.CompressedPoint) if kind == 2 else DER
    return Owner(kind, key.public_key().public_bytes(*form), lambda data: key.sign(data, ec.ECDSA(SHA256())))
