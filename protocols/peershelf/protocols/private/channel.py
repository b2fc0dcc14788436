"""The two directions of a connection inside a private network: bytes in, bytes out.

Each direction starts with a nonce in the clear; all that follows is under the key stream that the nonce and
the network's key make. That hides what is said and by whom, and keeps strangers from saying anything. It does
not keep what is said from being changed: the secure channel inside it does.

Everything that libp2p says over TCP begins with the greeting of multistream-select. So the first bytes that
are opened tell whether their sender has the key, and one who has another is not waited for.
"""

from __future__ import annotations

import os

from peershelf.protocols.errors import RemoteProtocolError
from peershelf.protocols.private.key import SwarmKey
from peershelf.protocols.private.xsalsa20 import NONCE_SIZE, XSalsa20

GREETING = b"\x13/multistream/1.0.0\n"


class NotInThisNetwork(RemoteProtocolError):
    """The other side has another key, or none."""


class Sealing:
    """What we say."""

    def __init__(self, key: SwarmKey) -> None:
        self._nonce = os.urandom(NONCE_SIZE)
        self._stream = XSalsa20(key.secret, self._nonce)

    def seal(self, data: bytes | memoryview) -> bytes:
        """Return what to send for `data`: it must be sent, and in this order."""
        start, self._nonce = self._nonce, b""
        return start + self._stream.apply(data)


class Opening:
    """What the other side says."""

    def __init__(self, key: SwarmKey) -> None:
        self._key = key
        self._nonce = b""
        self._stream: XSalsa20 | None = None
        self._expected = GREETING

    @property
    def missing(self) -> int:
        """Bytes that have to come before anything is opened."""
        return NONCE_SIZE - len(self._nonce)

    def open(self, data: bytes) -> bytes:
        """Return what `data` says, b"" as long as the nonce is not whole. Raises NotInThisNetwork."""
        if self._stream is None:
            size = self.missing
            self._nonce, data = self._nonce + data[:size], data[size:]
            if self._nonce.startswith(GREETING):
                raise NotInThisNetwork("the other side is in no private network")
            if self.missing:
                return b""
            self._stream = XSalsa20(self._key.secret, self._nonce)
        opened = self._stream.apply(data)
        if self._expected:
            self._check(opened)
        return opened

    def _check(self, opened: bytes) -> None:
        start = opened[: len(self._expected)]
        if not self._expected.startswith(start):
            raise NotInThisNetwork("the other side has the key of another private network")
        self._expected = self._expected[len(start) :]
