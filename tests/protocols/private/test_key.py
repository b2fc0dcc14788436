"""The file of a private network's key."""

import base64
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.protocols.private import MalformedKey, SwarmKey

SECRET = bytes(range(32))
HEADER = b"/key/swarm/psk/1.0.0/\n"
SECRETS = st.binary(min_size=32, max_size=32)


@given(SECRETS)
def test_what_is_written_is_read(secret: bytes) -> None:
    assert SwarmKey.decode(SwarmKey(secret).encode()).secret == secret


@given(SECRETS, st.sampled_from(["\n", "\r\n"]), st.sampled_from([b"", b"\n", b"\r\n", b"\nmore of it"]))
def test_every_coding_is_read_with_every_end_of_line(secret: bytes, end: str, after: bytes) -> None:
    codings = {"base16": secret.hex().encode(), "base64": base64.b64encode(secret), "bin": secret}
    for coding, coded in codings.items():
        text = f"/key/swarm/psk/1.0.0/{end}/{coding}/{end}".encode() + coded + after
        assert SwarmKey.decode(text).secret == secret


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "first line"),
        (b"/key/swarm/psk/2.0.0/\n/bin/\n" + SECRET, "first line"),
        (HEADER, "second line is not"),
        (HEADER + b"/base58/\n" + SECRET, "second line is not"),
        (HEADER + b"/bin/\n" + SECRET[:31], "32 bytes, not 31"),
        (HEADER + b"/base16/\n" + SECRET.hex().encode()[:62], "32 bytes, not 31"),
        (HEADER + b"/base16/\n" + SECRET.hex().encode()[:63], "not base16"),
        (HEADER + b"/base16/\n" + b"xy" * 32, "not base16"),
        (HEADER + b"/base64/\n" + base64.b64encode(SECRET)[:-1], "not base64"),
        (HEADER + b"/base64/\n" + base64.urlsafe_b64encode(b"\xff" * 32), "not base64"),
    ],
)
def test_what_is_no_key_is_named(data: bytes, complaint: str) -> None:
    with pytest.raises(MalformedKey, match=complaint):
        SwarmKey.decode(data)


@given(st.binary(max_size=200))
def test_no_content_raises_anything_else(data: bytes) -> None:
    for content in (data, HEADER + data, HEADER + b"/base16/\n" + data, HEADER + b"/base64/\n" + data):
        with suppress(MalformedKey):
            assert len(SwarmKey.decode(content).secret) == 32


def test_the_secret_is_in_no_text_about_the_key() -> None:
    key = SwarmKey.generate()
    assert key.secret.hex() not in repr(key) + key.fingerprint
    with pytest.raises(MalformedKey) as caught:
        SwarmKey.decode(HEADER + b"/base16/\n" + b"5ec4e7" + b"xy" * 29)
    assert "5ec4e7" not in str(caught.value)


def test_the_fingerprint_is_the_one_that_kubo_prints() -> None:
    """That of Kubo 0.43.0 for a swarm.key with these bytes."""
    assert SwarmKey(SECRET).fingerprint == "41dfbf48d882a8ee665983adfa7a48f7"
