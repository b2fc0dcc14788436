"""IPNS records: where a name leads, signed by the key of the name.

What counts is `data`, which is dag-cbor, and the signature of it. Older fields say the same once more, to
readers of old; where they are there, they must say the same.
https://specs.ipfs.tech/ipns/ipns-record/
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from peershelf.blockstore import multihash, protobuf
from peershelf.blockstore.errors import InvalidCid, MalformedBlock
from peershelf.blockstore.ipld import dag_cbor
from peershelf.blockstore.ipld.model import Node
from peershelf.protocols import public_keys
from peershelf.protocols.errors import InvalidRecord
from peershelf.protocols.routing.records.value import Value

_VALUE, _SIGNATURE_V1, _VALIDITY_TYPE, _VALIDITY, _SEQUENCE, _TTL, _PUBLIC_KEY, _SIGNATURE, _DATA = range(
    1, 10
)
_MOST_FIELDS = 64
_MOST_ITEMS = 256
"""Of what is signed: ten kilobytes of empty lists would take twelve milliseconds."""

_SIGNED = b"ipns-signature:"
_NANO = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME = re.compile(
    rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))", flags=re.ASCII
)
_Fields = dict[int, int | bytes]


@dataclass(frozen=True, slots=True)
class IpnsRecord:
    """What a record says that was signed by the key of its name."""

    value: bytes
    """The path that the name leads to."""
    sequence: int
    ends: int
    """Nanoseconds since 1970 until which it holds."""
    ttl: int
    """Nanoseconds for which it may be used without looking for a newer one; 0 where it does not say."""


def check(name: bytes, data: bytes, now: float) -> Value:
    """Check a value of `/ipns/NAME`. Raises InvalidRecord."""
    record = read(name, data)
    if record.ends < now * _NANO:
        raise InvalidRecord("the record has expired")
    return Value(data, (record.sequence, record.ends, data), record.ends / _NANO)


def read(name: bytes, data: bytes) -> IpnsRecord:
    """Read a record of a name, which may have expired. Raises InvalidRecord."""
    fields = _fields(data)
    signature, signed = fields.get(_SIGNATURE), fields.get(_DATA)
    if not (isinstance(signature, bytes) and isinstance(signed, bytes) and signature and signed):
        raise InvalidRecord("the record has no signature of version 2")
    public_keys.verify(_key(name, fields), signature, _SIGNED + signed)
    said = _document(signed)
    if fields.get(_SIGNATURE_V1) or fields.get(_VALUE):
        _compare(fields, said)
    return _record(said)


def _fields(data: bytes) -> _Fields:
    """The fields of a record; of one that comes twice, the last, as everybody reads it."""
    found: _Fields = {}
    every = list(islice(protobuf.fields(data, InvalidRecord), _MOST_FIELDS + 1))
    if len(every) > _MOST_FIELDS:
        raise InvalidRecord("the record has too many fields")
    for number, _, value in every:
        found[number] = value if isinstance(value, int) else bytes(value)
    return found


def _key(name: bytes, fields: _Fields) -> bytes:
    """The public key of a name: in the record, or else in the name itself."""
    key = fields.get(_PUBLIC_KEY)
    if isinstance(key, bytes) and key:
        if public_keys.name_of(key) != name:
            raise InvalidRecord("the record has the public key of another name")
        return key
    try:
        code, digest = multihash.split(name)
    except InvalidCid:
        raise InvalidRecord("the name is no multihash") from None
    if code != multihash.IDENTITY:
        raise InvalidRecord("the record lacks the public key")
    return digest


def _document(signed: bytes) -> dict[str, Node]:
    try:
        said = dag_cbor.decode(signed, most=_MOST_ITEMS)
    except MalformedBlock as error:
        raise InvalidRecord(str(error)) from None
    if not isinstance(said, dict):
        raise InvalidRecord("the record's data are no map")
    return said


def _compare(fields: _Fields, said: dict[str, Node]) -> None:
    """See that the fields of old, which have other defaults, say what is signed."""
    for number, name, default in (
        (_VALUE, "Value", b""),
        (_VALIDITY, "Validity", b""),
        (_VALIDITY_TYPE, "ValidityType", 0),
        (_SEQUENCE, "Sequence", 0),
        (_TTL, "TTL", 0),
    ):
        if fields.get(number, default) != said.get(name):
            raise InvalidRecord(f"the record says two things of its {name}")


def _record(said: dict[str, Node]) -> IpnsRecord:
    value, validity = said.get("Value"), said.get("Validity")
    if not (isinstance(value, bytes) and isinstance(validity, bytes)):
        raise InvalidRecord("the record does not say where its name leads, or until when")
    if _count(said, "ValidityType"):
        raise InvalidRecord("the record is valid in a way that is not known")
    return IpnsRecord(value, _count(said, "Sequence"), _nanoseconds(validity), _count(said, "TTL", 0))


def _count(said: dict[str, Node], name: str, default: Node = None) -> int:
    count = said.get(name, default)
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise InvalidRecord(f"the record's {name} is no whole number")
    return count


def _nanoseconds(time: bytes) -> int:
    """Read a time of RFC 3339, as nanoseconds since 1970; floats would lose some of them."""
    found = _TIME.fullmatch(time)
    if found is None:
        raise InvalidRecord("the record's end is no time")
    whole, fraction, sign, hours, minutes = found.groups(default=b"")
    try:
        since = datetime.fromisoformat(whole.decode() + "+00:00") - _EPOCH
    except ValueError:
        raise InvalidRecord("the record's end is no time") from None
    away = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    since = since + away if sign == b"-" else since - away
    return (since.days * 86_400 + since.seconds) * _NANO + int(fraction.ljust(9, b"0") or 0)
