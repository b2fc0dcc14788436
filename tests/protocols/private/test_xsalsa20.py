"""XSalsa20 against published vectors and another implementation."""

from __future__ import annotations

import nacl.bindings
from hypothesis import given
from hypothesis import strategies as st

from peershelf.protocols.private.xsalsa20 import XSalsa20, hsalsa20

# "Cryptography in NaCl", sections 5 and 8: https://cr.yp.to/highspeed/naclcrypto-20090310.pdf
SHARED = bytes.fromhex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")
FIRST_KEY = bytes.fromhex("1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389")
SECOND_KEY = bytes.fromhex("dc908dda0b9344a953629b733820778880f3ceb421bb61b91cbd4c3e66256ce4")
NONCE = bytes.fromhex("69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37")
START = bytes.fromhex("eea6a7251c1e72916d11c2cb214d3c252539121d8e234e652d651fa4c8cff880")


def test_hsalsa20_makes_the_keys_of_the_paper() -> None:
    assert hsalsa20(SHARED, bytes(16)) == FIRST_KEY
    assert hsalsa20(FIRST_KEY, NONCE[:16]) == SECOND_KEY


def test_the_stream_starts_as_in_the_paper() -> None:
    assert XSalsa20(FIRST_KEY, NONCE).apply(bytes(32)) == START


@given(
    st.binary(min_size=32, max_size=32), st.binary(min_size=24, max_size=24), st.lists(st.binary(max_size=90))
)
def test_it_is_the_stream_of_nacl_however_it_is_cut(key: bytes, nonce: bytes, pieces: list[bytes]) -> None:
    stream = XSalsa20(key, nonce)
    stream.apply(bytes(32))  # a secretbox takes these for its authenticator
    ours = b"".join(stream.apply(piece) for piece in pieces)
    whole = b"".join(pieces)
    assert ours == nacl.bindings.crypto_secretbox(whole, nonce, key)[16:]
