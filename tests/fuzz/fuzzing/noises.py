"""Noise: the framing, sealed messages, and both sides of the handshake."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.keys import KeyPair
from libp2p.crypto.x25519 import create_new_key_pair as create_static_key
from libp2p.identity.identify.pb.identify_pb2 import Identify
from libp2p.peer.id import ID
from libp2p.security.noise.exceptions import NoiseFailure
from noise.connection import Keypair, NoiseConnection

from peershelf.protocols.libp2p.security.codec import in_messages
from peershelf.protocols.libp2p.security.errors import ForgedMessage, SecureHandshakeFailed
from peershelf.protocols.libp2p.security.noise_codec import MessageSplitter, NoiseCodec
from peershelf.protocols.libp2p.security.noise_handshake import NoiseHandshake

_ONE, _OTHER = bytes(32), bytes(range(32))
_PLAINTEXT = b"some plaintext"


def _sealed(count: int) -> bytes:
    codec = NoiseCodec(_ONE, _OTHER)
    return b"".join(bytes(codec.seal(in_messages(_PLAINTEXT * (number + 1)))) for number in range(count))


MESSAGES = [b"\x05" + _sealed(3), b"\xff" + _sealed(1), b"\x02" + b"\x00\x00" * 5 + b"\xff\xff" + bytes(40)]


def _pieces(data: bytes) -> Iterator[bytes]:
    """The first byte says how the rest is cut."""
    step = data[0] + 1 if data else 1
    return (data[start : start + step] for start in range(1, len(data), step))


def check_framing(data: bytes) -> None:
    """It does not matter how the bytes are cut, and only what was sealed is opened."""
    splitter = MessageSplitter()
    found = [bytes(message) for piece in _pieces(data) for message in splitter.split(piece)]
    assert found == [bytes(message) for message in MessageSplitter().split(data[1:])]
    codec = NoiseCodec(_OTHER, _ONE)
    opened: list[bytes] = []
    try:
        for piece in _pieces(data):
            opened += codec.open(piece)
    except ForgedMessage:
        pass
    assert opened == [_PLAINTEXT * (number + 1) for number in range(len(opened))]


@cache
def _keys(number: int) -> KeyPair:
    return create_new_key_pair(bytes([number]) * 32)


@cache
def _static() -> KeyPair:
    return create_static_key()


def _handshake(number: int, expected: int | None) -> NoiseHandshake:
    peer = None if expected is None else ID.from_pubkey(_keys(expected).public_key)
    return NoiseHandshake(_keys(number).private_key, _static().private_key, peer, ["/yamux/1.0.0"])


def handshake_samples() -> list[bytes]:
    ours, theirs = _handshake(1, 2), _handshake(2, None)
    first = ours.start()
    second = theirs.receive(first)
    return [first, second, ours.receive(second), bytes(96)]


def check_handshake(data: bytes) -> None:
    """Nobody who was not there becomes a peer, and nothing else is raised."""
    ours, theirs = _handshake(1, 2), _handshake(2, None)
    ours.start()
    for side in (ours, theirs):
        try:
            side.receive(data)
            side.receive(data)
        except (SecureHandshakeFailed, NoiseFailure):
            pass
        assert side.agreed is None


def payload_samples() -> list[bytes]:
    return [_handshake(2, None)._payload(), Identify(agent_version="x").SerializeToString()]


def check_payload(data: bytes) -> None:
    """A payload that comes well sealed from whoever answers: only the one who was signed for gets through."""
    ours = _handshake(1, 2)
    noise = NoiseConnection.from_name(b"Noise_XX_25519_ChaChaPoly_SHA256")
    noise.set_keypair_from_private_bytes(Keypair.STATIC, _static().private_key.to_bytes())
    noise.set_as_responder()
    noise.start_handshake()
    noise.read_message(ours.start())
    try:
        ours.receive(bytes(noise.write_message(data)))
    except (SecureHandshakeFailed, NoiseFailure):
        assert ours.agreed is None
