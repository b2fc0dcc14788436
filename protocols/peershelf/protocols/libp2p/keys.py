"""The node's Ed25519 key in py-libp2p's form."""

from __future__ import annotations

from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.keys import KeyPair

from peershelf.protocols.errors import LocalProtocolError

SEED_LENGTH = 32


def key_pair(seed: bytes) -> KeyPair:
    """Return the key pair of a 32-byte Ed25519 seed. Raises LocalProtocolError for any other length.

    Kubo stores 64 bytes, the seed and the public key; only the seed belongs here.
    """
    if len(seed) != SEED_LENGTH:
        raise LocalProtocolError(f"an Ed25519 seed is {SEED_LENGTH} bytes, not {len(seed)}")
    return create_new_key_pair(seed)
