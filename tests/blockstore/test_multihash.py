from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.blockstore import multihash
from peershelf.blockstore.errors import InvalidCid, UnsupportedHash


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sha2-256", "12202cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"),
        ("sha3-256", "16203338be694f50c5f338814986cdf0686453a888b84f424d792af4b9202398f392"),
        ("blake2b-256", "a0e40220324dcf027dd4a30a932c441f365a25e86b173defa4b8e58948253471b81b72cf"),
        ("blake3", "1e20ea8f163db38682925e4491c5e58d4bb3506ef8c14eb78a86e908c5624a67200f"),
        ("identity", "000568656c6c6f"),
    ],
)
def test_hello_hashes_to_the_published_digest(name: str, expected: str) -> None:
    digest = multihash.multihash(multihash.hash_code(name), b"hello")
    assert digest.hex() == expected
    assert multihash.matches(digest, b"hello")
    assert not multihash.matches(digest, b"hallo")


@given(st.sampled_from(sorted(multihash.HASHES_BY_NAME.values())), st.binary(max_size=128))
def test_what_was_hashed_matches_and_splits(code: int, data: bytes) -> None:
    mh = multihash.multihash(code, memoryview(data))
    assert multihash.split(mh)[0] == code
    assert multihash.matches(mh, data)
    assert not multihash.matches(mh, data + b"!")


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnsupportedHash, match=r"'md5'; known are sha2-256, .*blake3"):
        multihash.hash_code("md5")


def test_a_digest_may_be_a_prefix_of_20_bytes_or_more() -> None:
    digest = hashlib.sha256(b"x").digest()
    assert multihash.matches(b"\x12\x14" + digest[:20], b"x")
    with pytest.raises(UnsupportedHash, match="19 bytes"):
        multihash.matches(b"\x12\x13" + digest[:19], b"x")


def test_blake3_digests_may_be_longer_than_32_bytes_but_not_than_128() -> None:
    from blake3 import blake3

    assert multihash.matches(b"\x1e\x40" + blake3(b"x").digest(64), b"x")
    with pytest.raises(UnsupportedHash):
        multihash.matches(b"\x1e\x81\x01" + blake3(b"x").digest(129), b"x")


def test_a_digest_longer_than_its_function_gives_matches_nothing() -> None:
    assert not multihash.matches(b"\x12\x21" + hashlib.sha256(b"x").digest() + b"\0", b"x")


def test_identity_holds_at_most_128_bytes() -> None:
    assert multihash.matches(multihash.multihash(multihash.IDENTITY, bytes(128)), bytes(128))
    with pytest.raises(UnsupportedHash, match="128"):
        multihash.multihash(multihash.IDENTITY, bytes(129))
    with pytest.raises(UnsupportedHash):
        multihash.matches(b"\x00\x81\x01" + bytes(129), bytes(129))


@pytest.mark.parametrize("code", [0x11, 0xD5, 0x99999])
def test_functions_off_the_list_are_neither_computed_nor_believed(code: int) -> None:
    with pytest.raises(UnsupportedHash):
        multihash.multihash(code, b"x")
    from peershelf.blockstore import varint

    with pytest.raises(UnsupportedHash):
        multihash.matches(varint.encode(code) + b"\x20" + bytes(32), b"x")


@given(st.binary(max_size=80))
def test_arbitrary_bytes_split_or_are_invalid(data: bytes) -> None:
    try:
        code, digest = multihash.split(data)
    except InvalidCid:
        return
    assert data.endswith(digest)
    assert code >= 0
