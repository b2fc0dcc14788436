"""Which records of names are believed, and which of two is the better."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from ipns_records import DER, FAR, PATH, Owner, ed25519, elliptic, rsa_owner, written

from peershelf.blockstore import multihash, protobuf
from peershelf.protocols.errors import InvalidRecord
from peershelf.protocols.routing.records import ipns
from peershelf.protocols.routing.records.namespaces import MAX_VALUE, check

NOW = 1_800_000_000.0
OWNER, OTHER = ed25519(1), ed25519(2)
LEGACY = {1: PATH, 2: b"old", 3: 0, 4: FAR, 5: 0, 6: 60}
"""The fields that readers of old look at, as Kubo still writes them."""


@pytest.mark.parametrize(
    "owner",
    [
        ed25519(),
        rsa_owner(),
        elliptic(2, ec.SECP256K1()),
        elliptic(3, ec.SECP256R1()),
        elliptic(3, ec.SECP521R1()),
    ],
    ids=["ed25519", "rsa", "secp256k1", "p-256", "p-521"],
)
def test_a_record_is_believed_by_the_key_of_its_name(owner):
    record = owner.record(7)
    assert check(owner.key, record, NOW).data == record
    assert ipns.read(owner.name, record) == ipns.IpnsRecord(PATH, 7, 4_102_444_800_000_000_001, 60)
    with pytest.raises(InvalidRecord, match="key"):
        check(OTHER.key, record, NOW)


def test_the_key_may_be_in_the_record_and_in_the_name():
    assert check(OWNER.key, OWNER.record(more={7: OWNER.public_key}), NOW)
    with pytest.raises(InvalidRecord, match="another name"):
        check(OWNER.key, OWNER.record(more={7: OTHER.public_key}), NOW)
    with pytest.raises(InvalidRecord, match="lacks the public key"):
        check(rsa_owner().key, rsa_owner().record(more={7: b""}), NOW)


def flipped(record: bytes, at: int) -> bytes:
    return record[:at] + bytes([record[at] ^ 1]) + record[at + 1 :]


@pytest.mark.parametrize("owner", [OWNER, rsa_owner()], ids=["ed25519", "rsa"])
def test_each_byte_counts(owner):
    record = owner.record()
    for at in range(len(record)):
        with pytest.raises(InvalidRecord):
            check(owner.key, flipped(record, at), NOW)
        with pytest.raises(InvalidRecord):
            check(owner.key, record[:at], NOW)


@pytest.mark.parametrize("field", [1, 3, 4, 5, 6])
def test_what_readers_of_old_see_must_be_what_is_signed(field):
    assert check(OWNER.key, OWNER.record(more=LEGACY), NOW)
    other = LEGACY[field] + 1 if isinstance(LEGACY[field], int) else b"other"
    with pytest.raises(InvalidRecord, match="two things"):
        check(OWNER.key, OWNER.record(more=LEGACY | {field: other}), NOW)


@pytest.mark.parametrize(
    "said",
    [
        {"Value": None},
        {"Value": "/ipfs/text"},
        {"Validity": None},
        {"Validity": b"tomorrow"},
        {"Validity": b"2100-13-01T00:00:00Z"},
        {"Validity": b"2100-01-01T00:00:00"},
        {"Validity": FAR + b"\n"},
        {"ValidityType": 1},
        {"ValidityType": False},
        {"ValidityType": None},
        {"Sequence": -1},
        {"Sequence": True},
        {"Sequence": None},
        {"TTL": -1},
        {"TTL": "60"},
        {"_more": [[]] * 300},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_not_believed_though_it_is_signed(said):
    with pytest.raises(InvalidRecord):
        check(OWNER.key, OWNER.record(said=said), NOW)


def test_what_is_not_known_is_passed_over():
    assert check(OWNER.key, OWNER.record(said={"_more": [1, {"a": b"b"}], "TTL": None}, more={20: b"x"}), NOW)


@pytest.mark.parametrize(
    ("ends", "now", "holds"),
    [
        (b"2030-01-01T00:00:00Z", 1893455999.0, True),
        (b"2030-01-01T00:00:00Z", 1893456000.5, False),
        (b"2030-01-01T00:00:00.9Z", 1893456000.5, True),
        (b"2030-01-01T02:00:00+02:00", 1893455999.0, True),
        (b"2030-01-01T02:00:00+02:00", 1893456001.0, False),
        (b"2029-12-31T23:00:00-01:00", 1893455999.0, True),
        (b"2029-12-31T23:00:00-01:00", 1893456001.0, False),
    ],
)
def test_a_record_ends_when_it_says(ends, now, holds):
    record = OWNER.record(ends=ends)
    if holds:
        assert check(OWNER.key, record, now).ends >= now
        return
    with pytest.raises(InvalidRecord, match="expired"):
        check(OWNER.key, record, now)


def test_the_newest_is_the_best_and_of_those_the_one_that_lasts():
    def rank(record: bytes):
        return check(OWNER.key, record, NOW).rank

    soon, later = b"2090-01-01T00:00:00.000000001Z", b"2090-01-01T00:00:00.000000002Z"
    order = [OWNER.record(9, ends=FAR), OWNER.record(10, ends=soon), OWNER.record(10, ends=later)]
    ranks = [rank(one) for one in order]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == 3
    assert rank(OWNER.record(1 << 60)) > ranks[-1]


def test_a_record_has_ten_kilobytes_at_most():
    size = MAX_VALUE - len(OWNER.record(said={"_more": bytes(9_000)})) + 9_000
    assert check(OWNER.key, OWNER.record(said={"_more": bytes(size)}), NOW)
    with pytest.raises(InvalidRecord, match="limit"):
        check(OWNER.key, OWNER.record(said={"_more": bytes(size + 1)}), NOW)


def test_of_a_field_that_comes_twice_the_last_counts():
    record = OWNER.record()
    assert check(OWNER.key, protobuf.bytes_field(9, b"other") + record, NOW)
    with pytest.raises(InvalidRecord):
        check(OWNER.key, record + protobuf.bytes_field(9, b"other"), NOW)


def test_a_thousand_fields_are_too_many():
    with pytest.raises(InvalidRecord, match="too many fields"):
        check(OWNER.key, protobuf.varint_field(20, 0) * 1_000 + OWNER.record(), NOW)


@pytest.mark.parametrize(
    "owner",
    [rsa_owner(1024), Owner(9, b"?" * 32, lambda data: b"?"), Owner(1, b"?" * 31, lambda data: b"?")],
    ids=["1024 bits of RSA", "an unknown kind", "31 bytes"],
)
def test_weak_and_unknown_keys_are_refused(owner):
    with pytest.raises(InvalidRecord, match="public key"):
        check(owner.key, owner.record(more={7: owner.public_key}), NOW)


def test_a_key_that_would_take_long_is_refused():
    numbers = rsa.RSAPublicNumbers((1 << 255) + 1, (1 << 2048) - 1)
    slow = Owner(0, numbers.public_key().public_bytes(*DER), lambda data: bytes(256))
    with pytest.raises(InvalidRecord, match="public key"):
        check(slow.key, slow.record(), NOW)


def test_a_key_has_one_encoding_and_so_one_name():
    longer = OWNER.public_key + protobuf.bytes_field(3, b"")
    name = multihash.multihash(multihash.IDENTITY, longer)
    with pytest.raises(InvalidRecord, match="malformed"):
        check(b"/ipns/" + name, OWNER.record(), NOW)


def test_a_public_key_proves_its_own_name():
    for owner in (OWNER, rsa_owner()):
        assert check(b"/pk/" + owner.name, owner.public_key, NOW).data == owner.public_key
        with pytest.raises(InvalidRecord):
            check(b"/pk/" + OTHER.name, owner.public_key, NOW)


@pytest.mark.parametrize(
    "key", [b"", b"/", b"/ipns", b"ipns/", b"/ipns/", b"/other/name", b"//ipns/x", b"\xff"]
)
def test_keys_without_a_known_namespace_have_no_values(key):
    with pytest.raises(InvalidRecord):
        check(key, OWNER.record(), NOW)


def test_fields_written_as_kubo_does_are_read():
    """Old fields first, and no public key where the name has it."""
    record = OWNER.record(3, more=LEGACY | {5: 3})
    assert record.startswith(written({1: PATH}))
    assert ipns.read(OWNER.name, record).sequence == 3
