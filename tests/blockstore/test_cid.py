from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multiformats import CID, multibase

from peershelf.blockstore import cid as cids
from peershelf.blockstore import multihash
from peershelf.blockstore.cid import DAG_PB, RAW, Cid, codec_code, codec_name
from peershelf.blockstore.errors import InvalidCid, UnsupportedCodec

HELLO = "bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq"
HELLO_V0 = "QmRN6wdp1S2A5EtjW9A3M1vKSBuQQGcgvuhoMUoEz4iiT5"

hash_codes = st.sampled_from(sorted(multihash.HASHES_BY_NAME.values()))
multihashes = st.builds(multihash.multihash, hash_codes, st.binary(max_size=60))
v1_cids = st.builds(Cid.v1, st.integers(0, 1 << 40), multihashes)
v0_cids = st.builds(Cid.v0, st.builds(multihash.multihash, st.just(multihash.SHA2_256), st.binary()))
any_cids = v0_cids | v1_cids


@given(any_cids)
def test_text_and_bytes_round_trip(cid: Cid) -> None:
    assert Cid.parse(str(cid)) == cid
    assert Cid.from_bytes(cid.to_bytes()) == cid
    assert hash(Cid.parse(str(cid))) == hash(cid)


@given(v1_cids.filter(lambda cid: len(cid.to_bytes()) < 100))
def test_text_is_what_the_multiformats_library_writes(cid: Cid) -> None:
    data = cid.to_bytes()
    assert str(cid) == multibase.encode(data, "base32")
    for base in ("base32", "base36", "base58btc", "base16", "base64url", "base32upper", "base2", "base10"):
        assert Cid.parse(multibase.encode(data, base)) == cid


@given(v0_cids)
def test_version_0_is_what_the_multiformats_library_writes(cid: Cid) -> None:
    assert str(cid) == str(CID("base58btc", 0, "dag-pb", cid.multihash))


def test_known_cids_of_hello() -> None:
    mh = multihash.multihash(multihash.SHA2_256, b"hello")
    assert str(Cid.v1(RAW, mh)) == HELLO
    assert str(Cid.v0(mh)) == HELLO_V0
    assert Cid.parse(HELLO_V0) == Cid(0, DAG_PB, mh)
    assert Cid.parse(HELLO).hash_code == multihash.SHA2_256
    assert Cid.parse(HELLO).digest == mh[2:]


def test_a_multihash_with_a_long_code_is_read() -> None:
    cid = Cid.v1(RAW, multihash.multihash(multihash.BLAKE2B_256, b"hello"))
    assert cid.hash_code == multihash.BLAKE2B_256
    assert len(cid.digest) == 32


def test_the_two_versions_of_one_block_differ_and_sort() -> None:
    mh = multihash.multihash(multihash.SHA2_256, b"hello")
    assert Cid.v0(mh) != Cid.v1(DAG_PB, mh)
    assert sorted([Cid.v1(DAG_PB, mh), Cid.v1(RAW, mh), Cid.v0(mh)])[0] == Cid.v0(mh)


def test_version_0_takes_only_whole_sha2_256() -> None:
    with pytest.raises(InvalidCid, match="use CIDv1"):
        Cid.v0(multihash.multihash(multihash.BLAKE3, b"hello"))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("b", id="prefix alone"),
        pytest.param("hello world", id="words"),
        pytest.param(HELLO_V0[:-1], id="short v0"),
        pytest.param(HELLO_V0 + "a", id="long v0"),
        pytest.param("Qm" + 44 * "0", id="v0 not base58"),
        pytest.param("Qm" + 44 * "z", id="v0 over its digest"),
        pytest.param("z" + HELLO_V0, id="v0 in a multibase"),
        pytest.param(HELLO[:-1], id="cut"),
        pytest.param(HELLO + "a", id="longer by a digit"),
        pytest.param(HELLO[:-1] + "r", id="spare bits set"),
        pytest.param("b" + HELLO[1:].upper(), id="upper case under a lower prefix"),
        pytest.param("B" + HELLO[1:], id="lower case under an upper prefix"),
        pytest.param("b_" + HELLO[1:], id="underscore, which int() takes"),
        pytest.param("b " + HELLO[1:], id="space, which int() takes"),
        pytest.param("b-" + HELLO[1:], id="sign, which int() takes"),
        pytest.param("k0" + "1" * 40, id="base36 with a leading zero"),
        pytest.param("z1" + "2" * 40, id="base58 with a leading zero"),
        pytest.param("k" + "K" * 40, id="base36 in the wrong case"),
        pytest.param("bé", id="not ASCII"),
        pytest.param("b\ud800", id="a surrogate"),
        pytest.param("🚀" + "🌕" * 20, id="a base that the library lacks"),
        pytest.param("?abc", id="no multibase"),
        pytest.param("b" + "a" * 5000, id="far too long"),
        pytest.param("9" + "9" * 1300, id="long and slow"),
    ],
)
def test_what_is_no_cid_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(InvalidCid, match="CID") as raised:
        Cid.parse(text)
    assert str(raised.value).isascii()
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 500


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("", id="empty"),
        pytest.param("00551220" + "00" * 32, id="version 0 spelled out"),
        pytest.param("02551220" + "00" * 32, id="version 2"),
        pytest.param("8100551220" + "00" * 32, id="overlong version"),
        pytest.param("01d5001220" + "00" * 32, id="overlong codec"),
        pytest.param("01551220" + "00" * 31, id="short digest"),
        pytest.param("01551220" + "00" * 33, id="bytes after the digest"),
        pytest.param("1220" + "00" * 33, id="bytes after a v0"),
        pytest.param("0155", id="no multihash"),
        pytest.param("01551e8102" + "00" * 257, id="over 168 bytes"),
    ],
)
def test_malformed_bytes_are_refused(data: str) -> None:
    with pytest.raises(InvalidCid):
        Cid.from_bytes(bytes.fromhex(data))


def test_168_bytes_are_accepted_and_169_are_not() -> None:
    longest = bytes.fromhex("0155") + b"\x1e\xa3\x01" + bytes(163)
    assert len(longest) == cids.MAX_CID_SIZE
    assert Cid.from_bytes(longest).to_bytes() == longest
    with pytest.raises(InvalidCid):
        Cid.from_bytes(bytes.fromhex("0155") + b"\x1e\xa4\x01" + bytes(164))


@given(st.binary(max_size=180))
def test_arbitrary_bytes_are_one_cid_or_invalid(data: bytes) -> None:
    try:
        cid = Cid.from_bytes(data)
    except InvalidCid:
        return
    assert cid.to_bytes() == data


@given(
    st.text(max_size=70) | st.from_regex(r"[bBzkKfFmMuUtTvVcCh0-9pQ🚀][a-zA-Z0-9+/=_-]{0,80}", fullmatch=True)
)
def test_arbitrary_text_is_a_cid_or_invalid(text: str) -> None:
    try:
        cid = Cid.parse(text)
    except InvalidCid:
        return
    assert Cid.parse(str(cid)) == cid


@given(any_cids, st.data())
def test_one_changed_character_is_another_cid_or_invalid(cid: Cid, data: st.DataObject) -> None:
    text = str(cid)
    position = data.draw(st.integers(0, len(text) - 1))
    changed = (
        text[:position]
        + data.draw(st.characters().filter(lambda c: c != text[position]))
        + text[position + 1 :]
    )
    try:
        assert Cid.parse(changed) != cid
    except InvalidCid:
        return


@pytest.mark.parametrize(
    ("name", "code"), [("raw", 0x55), ("dag-pb", 0x70), ("dag-json", 0x129), ("git-raw", 0x78)]
)
def test_codecs_have_names(name: str, code: int) -> None:
    assert codec_code(name) == code
    assert codec_name(code) == name


def test_an_unknown_codec_is_an_error_as_a_name_and_a_number_as_a_code() -> None:
    with pytest.raises(UnsupportedCodec, match="raw, dag-pb"):
        codec_code("dag-nothing")
    assert codec_name(0xEEEEEE) == "0xeeeeee"


def test_the_common_forms_are_parsed_without_the_slow_library() -> None:
    code = (
        "import sys; from peershelf.blockstore.cid import Cid, codec_name\n"
        f"cid = Cid.parse('{HELLO}'); Cid.parse('{HELLO_V0}'); Cid.from_bytes(cid.to_bytes())\n"
        "codec_name(cid.codec); sys.exit('multiformats' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0
