"""A secured connection opens what came bit by bit."""

from __future__ import annotations

import os

import pytest
from libp2p.crypto.ed25519 import create_new_key_pair

from peershelf.protocols.libp2p.security.codec import in_messages
from peershelf.protocols.libp2p.security.noise_codec import NoiseCodec
from peershelf.protocols.libp2p.security.session import MESSAGES_AT_A_TIME, Agreed, SecuredConnection

ONE, OTHER = os.urandom(32), os.urandom(32)
EMPTY = 1_000


class Bytes:
    """A connection that brings some bytes at once, and then its end."""

    is_initiator = False

    def __init__(self, data: bytes) -> None:
        self._left = [data]

    async def read(self, n: int | None = None) -> bytes:
        return self._left.pop() if self._left else b""


@pytest.fixture
def secured():
    """A connection on which a thousand empty messages came, and one that is not."""
    codec = NoiseCodec(OTHER, ONE)
    sealed = b"".join(_empty(codec) for _ in range(EMPTY)) + bytes(codec.seal(in_messages(b"hello")))
    keys = create_new_key_pair()
    agreed = Agreed(create_new_key_pair().public_key, None, NoiseCodec(ONE, OTHER))
    return SecuredConnection(Bytes(sealed), keys.private_key, agreed, b"")


def _empty(codec: NoiseCodec) -> bytes:
    """A message without plaintext, which seal() never makes."""
    sealed = codec._sending.encrypt(bytes(4) + codec._sent.to_bytes(8, "little"), b"", None)
    codec._sent += 1
    return len(sealed).to_bytes(2, "big") + sealed


async def test_a_few_messages_are_opened_at_a_time(secured):
    found = []
    while await secured.arrives():
        found.append(secured.open_some())
    assert max(map(len, found)) == MESSAGES_AT_A_TIME
    assert sum(map(len, found)) == EMPTY + 1
    assert b"".join(map(b"".join, found)) == b"hello"


async def test_empty_messages_are_not_the_end_for_who_reads(secured):
    assert await secured.read() == b"hello"
    assert await secured.read() == b""
