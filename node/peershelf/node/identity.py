"""Who this node is: an Ed25519 key pair, and the peer ID that follows from it.

The key file holds the base64 text of libp2p's `PrivateKey` protobuf, the same text that Kubo keeps in
`Identity.PrivKey`, so a key can be carried over in either direction. Kubo writes 64 bytes of key data (the
seed, then the public half); older tools wrote the 32-byte seed alone; both are read.
Spec: https://github.com/libp2p/specs/blob/master/peer-ids/peer-ids.md
"""

from __future__ import annotations

import base64
import binascii
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from peershelf.blockstore.multihash import IDENTITY
from peershelf.node.errors import IdentityError
from peershelf.node.peer_ids import format_peer_id
from peershelf.protocols.transport import PeerId

_PRIVATE_HEADER = b"\x08\x01\x12"  # field 1: key type 1, Ed25519; field 2: the key's bytes
_PUBLIC_HEADER = b"\x08\x01\x12\x20"
_SEED_SIZE = 32


@dataclass(frozen=True, slots=True)
class Identity:
    """An Ed25519 key pair. `seed` is the secret: 32 bytes, never logged or printed."""

    seed: bytes
    public_key: bytes

    @classmethod
    def generate(cls) -> Identity:
        """Make a new random identity."""
        return cls.from_seed(os.urandom(_SEED_SIZE))

    @classmethod
    def from_seed(cls, seed: bytes) -> Identity:
        """Derive the identity of a 32-byte Ed25519 seed."""
        public = Ed25519PrivateKey.from_private_bytes(seed).public_key()
        return cls(seed, public.public_bytes_raw())

    @classmethod
    def decode(cls, text: str) -> Identity:
        """Read the base64 form described above. Raises IdentityError."""
        try:
            data = base64.b64decode(text.strip(), validate=True)
        except (binascii.Error, ValueError):
            raise IdentityError("the identity key is not base64 text") from None
        if data[:3] != _PRIVATE_HEADER or len(data) < 4 or data[3] != len(data) - 4:
            raise IdentityError("the identity key is not an Ed25519 private key in libp2p's encoding")
        key = data[4:]
        if len(key) not in (_SEED_SIZE, 2 * _SEED_SIZE):
            raise IdentityError("an Ed25519 private key has 32 or 64 bytes")
        identity = cls.from_seed(key[:_SEED_SIZE])
        if key[_SEED_SIZE:] not in (b"", identity.public_key):
            raise IdentityError("the identity key's public half does not belong to its private half")
        return identity

    def encode(self) -> str:
        """The base64 form described above, with 64 bytes of key data, as Kubo reads it."""
        key = self.seed + self.public_key
        return base64.b64encode(_PRIVATE_HEADER + bytes([len(key)]) + key).decode()

    @property
    def peer_id(self) -> PeerId:
        """The peer ID in base58btc, such as 12D3KooW…: an identity multihash of the public key."""
        encoded = _PUBLIC_HEADER + self.public_key
        return format_peer_id(bytes([IDENTITY, len(encoded)]) + encoded)

    def __repr__(self) -> str:
        return f"Identity({self.peer_id})"


def load(path: Path) -> Identity:
    """Read an identity from its file. Raises IdentityError saying what to do."""
    try:
        return Identity.decode(path.read_text("ascii"))
    except FileNotFoundError:
        raise IdentityError(
            f"{path} is missing: put the key back, or move the repo away and start anew with `node init`"
        ) from None
    except UnicodeDecodeError:
        raise IdentityError(f"{path} is not base64 text") from None
    except IdentityError as error:
        raise IdentityError(f"{path}: {error}") from None


def save(path: Path, identity: Identity) -> None:
    """Write an identity's file, readable by its owner only; an existing one is never replaced."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(identity.encode() + "\n")
        file.flush()
        os.fsync(file.fileno())
