"""Records of names, and keys that sign them: no input is believed that does not prove what it says."""

from __future__ import annotations

from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from peershelf.blockstore import protobuf
from peershelf.blockstore.ipld import dag_cbor
from peershelf.protocols import public_keys
from peershelf.protocols.errors import InvalidRecord
from peershelf.protocols.routing.records.namespaces import MAX_VALUE, check

SLOW = 0.05
"""Seconds that a record may take: anybody may send many."""

_NOW = 1_800_000_000.0
_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
_ENCODED = protobuf.varint_field(1, 1) + protobuf.bytes_field(2, _KEY.public_key().public_bytes_raw())
_NAME = b"/ipns/" + public_keys.name_of(_ENCODED)
_DOCUMENT = {
    "Value": b"/ipfs/bafkqaaa",
    "Validity": b"2100-01-01T00:00:00.000000001Z",
    "ValidityType": 0,
    "Sequence": 3,
    "TTL": 60,
}


def _record(data: bytes) -> bytes:
    signature = _KEY.sign(b"ipns-signature:" + data)
    return protobuf.bytes_field(8, signature) + protobuf.bytes_field(9, data)


def _legacy() -> bytes:
    fields = ((1, _DOCUMENT["Value"]), (2, b"old"), (4, _DOCUMENT["Validity"]))
    numbers = protobuf.varint_field(5, 3) + protobuf.varint_field(6, 60)
    return b"".join(protobuf.bytes_field(number, value) for number, value in fields) + numbers


def check_record(data: bytes) -> None:
    """What is believed has the bytes that were signed: nobody can change what a record says."""
    try:
        value = check(_NAME, data, _NOW)
    except InvalidRecord:
        return
    assert value.data == data
    assert value.rank[0] == 3
    signed = [one for number, _, one in protobuf.fields(data, InvalidRecord) if number == 9]
    assert signed[-1] == dag_cbor.encode(_DOCUMENT)


def check_signed(data: bytes) -> None:
    """Read what the owner of a name has signed, which may be anything."""
    try:
        value = check(_NAME, _record(data), _NOW)
    except InvalidRecord:
        return
    assert len(value.data) <= MAX_VALUE
    assert value.ends >= _NOW
    assert 0 <= value.rank[0] < 1 << 64


def check_key(data: bytes) -> None:
    """A key that is read has one name, and has not signed what is no signature."""
    try:
        check(b"/pk/" + public_keys.name_of(data), data, _NOW)
    except InvalidRecord:
        return
    try:
        public_keys.verify(data, bytes(64), b"message")
    except InvalidRecord:
        return
    raise AssertionError("a signature of zeros is believed")


def record_samples() -> list[bytes]:
    record = _record(dag_cbor.encode(_DOCUMENT))
    return [record, _legacy() + record, protobuf.bytes_field(7, _ENCODED) + record]


def signed_samples() -> list[bytes]:
    more = {**_DOCUMENT, "_more": [[], {"a": [1, None, "b"]}, b"c" * 40]}
    return [dag_cbor.encode(_DOCUMENT), dag_cbor.encode(more)]


@cache
def key_samples() -> list[bytes]:
    der = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    point = (Encoding.X962, PublicFormat.CompressedPoint)
    keys = [
        (0, rsa.RSAPublicNumbers(65537, (1 << 2047) + 1).public_key().public_bytes(*der)),
        (2, ec.derive_private_key(7, ec.SECP256K1()).public_key().public_bytes(*point)),
        (3, ec.derive_private_key(7, ec.SECP256R1()).public_key().public_bytes(*der)),
        (3, ec.derive_private_key(7, ec.SECP521R1()).public_key().public_bytes(*der)),
    ]
    return [
        _ENCODED,
        *(protobuf.varint_field(1, kind) + protobuf.bytes_field(2, data) for kind, data in keys),
    ]
