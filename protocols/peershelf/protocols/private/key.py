"""The key that the peers of a private network share, and the file that it is kept in.

A file is three parts: the line /key/swarm/psk/1.0.0/, a line that names a coding, and 32 bytes so coded. What
Kubo reads is read here: lines may end in CR LF, and what follows the key is nobody's business.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field

from Crypto.Cipher import Salsa20

from peershelf.protocols.errors import LocalProtocolError

KEY_SIZE = 32
MOST = 4_096
"""Bytes of a file that are looked at; a key takes about a hundred."""

_HEADER = b"/key/swarm/psk/1.0.0/"
_BASE64_SIZE = 44


class MalformedKey(LocalProtocolError, ValueError):
    """A file that holds no key of a private network. Its text says what is wrong, and nothing of the key."""


@dataclass(frozen=True, slots=True)
class SwarmKey:
    """The secret of a private network: 32 bytes, never logged or printed."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_SIZE:
            raise MalformedKey(f"a key has {KEY_SIZE} bytes, not {len(self.secret)}")

    @classmethod
    def generate(cls) -> SwarmKey:
        """Make the key of a new network."""
        return cls(os.urandom(KEY_SIZE))

    @classmethod
    def decode(cls, data: bytes) -> SwarmKey:
        """Read the content of a file. Raises MalformedKey."""
        header, coding, rest = _lines(data[:MOST])
        if header != _HEADER:
            raise MalformedKey(f"the first line is not {_HEADER.decode()}")
        match coding:
            case b"/base16/":
                return cls(_decoded(binascii.unhexlify, rest.strip()[: 2 * KEY_SIZE], "base16"))
            case b"/base64/":
                return cls(_decoded(_from_base64, b"".join(rest.split())[:_BASE64_SIZE], "base64"))
            case b"/bin/":
                return cls(rest[:KEY_SIZE])
        raise MalformedKey("the second line is not /base16/, /base64/ or /bin/")

    def encode(self) -> bytes:
        """Return the content of a file, in base16, as other programs write it."""
        return b"%b\n/base16/\n%b\n" % (_HEADER, self.secret.hex().encode())

    @property
    def fingerprint(self) -> str:
        """What people compare to see whether they have the same key: 32 hexadecimal digits, Kubo's own.

        It is a hash of what the key encrypts, so it tells nothing of the key.
        """
        encrypted = Salsa20.new(key=self.secret, nonce=b"finprint").encrypt(bytes(64))
        return hashlib.shake_128(encrypted).hexdigest(16)


def _lines(data: bytes) -> tuple[bytes, bytes, bytes]:
    header, _, rest = data.partition(b"\n")
    coding, _, rest = rest.partition(b"\n")
    return header.rstrip(b"\r"), coding.rstrip(b"\r"), rest


def _from_base64(text: bytes) -> bytes:
    return base64.b64decode(text, validate=True)


def _decoded(decode: Callable[[bytes], bytes], text: bytes, coding: str) -> bytes:
    try:
        return decode(text)
    except ValueError:  # its text may quote the key
        raise MalformedKey(f"what follows the second line is not {coding}") from None
