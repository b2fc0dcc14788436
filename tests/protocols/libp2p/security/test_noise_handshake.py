"""The Noise handshake: who is there is proved, and nothing that a stranger sends gets through as anybody."""

import os
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.keys import KeyPair
from libp2p.crypto.rsa import create_new_key_pair as create_rsa_key_pair
from libp2p.crypto.secp256k1 import create_new_key_pair as create_secp256k1_key_pair
from libp2p.crypto.x25519 import create_new_key_pair as create_static_key
from libp2p.peer.id import ID
from libp2p.security.noise.exceptions import PeerIDMismatchesPubkey

from peershelf.protocols.libp2p.security.codec import in_messages
from peershelf.protocols.libp2p.security.errors import SecureHandshakeFailed
from peershelf.protocols.libp2p.security.noise_handshake import NoiseHandshake

YAMUX = "/yamux/1.0.0"
ALICE, BOB, MALLORY = (create_new_key_pair(os.urandom(32)) for _ in range(3))


def peer_id(keys: KeyPair) -> ID:
    return ID.from_pubkey(keys.public_key)


def initiator(expected: KeyPair = BOB, muxers: tuple[str, ...] = (YAMUX,)) -> NoiseHandshake:
    return NoiseHandshake(ALICE.private_key, create_static_key().private_key, peer_id(expected), muxers)


def responder(keys: KeyPair = BOB, muxers: tuple[str, ...] = (YAMUX,)) -> NoiseHandshake:
    return NoiseHandshake(keys.private_key, create_static_key().private_key, None, muxers)


def shake(ours: NoiseHandshake, theirs: NoiseHandshake) -> None:
    message = ours.start()
    message = ours.receive(theirs.receive(message))
    assert theirs.receive(message) == b""


def test_both_sides_learn_who_the_other_is_and_share_keys() -> None:
    ours, theirs = initiator(), responder()
    shake(ours, theirs)
    assert ours.agreed is not None
    assert theirs.agreed is not None
    assert ours.agreed.remote_peer == peer_id(BOB)
    assert theirs.agreed.remote_peer == peer_id(ALICE)
    assert list(theirs.agreed.codec.open(bytes(ours.agreed.codec.seal(in_messages(b"hello"))))) == [b"hello"]
    assert list(ours.agreed.codec.open(bytes(theirs.agreed.codec.seal(in_messages(b"hello you"))))) == [
        b"hello you"
    ]


@pytest.mark.parametrize(
    ("ours", "theirs", "agreed"),
    [
        ((YAMUX,), (YAMUX,), YAMUX),
        ((YAMUX,), (), None),
        ((), (YAMUX,), None),
        ((YAMUX,), ("/mplex/6.7.0",), None),
        (("/a", "/b"), ("/b", "/a"), "/a"),
        (("/x", "/b"), ("/a", "/b"), "/b"),
    ],
)
def test_the_muxer_is_the_first_of_the_initiators_that_both_speak(ours, theirs, agreed) -> None:
    one, other = initiator(muxers=ours), responder(muxers=theirs)
    shake(one, other)
    assert one.agreed is not None
    assert other.agreed is not None
    assert one.agreed.muxer == other.agreed.muxer == agreed


@pytest.mark.parametrize("make", [create_rsa_key_pair, create_secp256k1_key_pair])
def test_identities_have_keys_of_other_kinds_too(make: Callable[[], KeyPair]) -> None:
    keys = make()
    ours, theirs = initiator(expected=keys), responder(keys)
    shake(ours, theirs)
    assert ours.agreed is not None
    assert ours.agreed.remote_peer == peer_id(keys)


def test_another_peer_than_the_one_dialed_is_refused() -> None:
    ours, theirs = initiator(expected=BOB), responder(MALLORY)
    with pytest.raises(PeerIDMismatchesPubkey):
        ours.receive(theirs.receive(ours.start()))
    assert ours.agreed is None


def test_an_identity_signed_for_another_connection_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = responder(BOB)._payload()
    ours, theirs = initiator(expected=BOB), responder(MALLORY)
    monkeypatch.setattr(theirs, "_payload", lambda: recorded)
    with pytest.raises(SecureHandshakeFailed, match="not signed"):
        ours.receive(theirs.receive(ours.start()))


def test_a_recorded_handshake_played_again_is_refused() -> None:
    ours, theirs = initiator(), responder()
    first = ours.start()
    third = ours.receive(theirs.receive(first))
    again = responder()
    again.receive(first)
    with pytest.raises(SecureHandshakeFailed):
        again.receive(third)
    assert again.agreed is None


@given(st.binary(max_size=500))
def test_garbage_never_becomes_a_peer(garbage: bytes) -> None:
    ours = initiator()
    ours.start()
    with pytest.raises(SecureHandshakeFailed):
        ours.receive(garbage)
    theirs = responder()
    try:
        theirs.receive(garbage)
        theirs.receive(garbage)
    except SecureHandshakeFailed:
        pass
    assert theirs.agreed is None


def test_a_key_of_zeros_is_refused() -> None:
    theirs = responder()
    with pytest.raises(SecureHandshakeFailed, match="of no use"):
        theirs.receive(bytes(32))


@pytest.mark.parametrize("payload", [b"", b"\xff" * 50, b"\x0a\x02\x08\x01"])
def test_a_peer_that_does_not_say_who_it_is_is_refused(monkeypatch: pytest.MonkeyPatch, payload) -> None:
    ours, theirs = initiator(), responder()
    monkeypatch.setattr(theirs, "_payload", lambda: payload)
    with pytest.raises(SecureHandshakeFailed):
        ours.receive(theirs.receive(ours.start()))
