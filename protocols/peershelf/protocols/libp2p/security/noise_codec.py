"""Noise messages once the handshake is done: sealed in batches, opened in batches.

    length 2 (big-endian) | ciphertext, at most 65,519 | tag 16

One message carries at most 65,519 bytes, so a batch is many. Each is encrypted right into its place among the
bytes to send, so that a batch costs one write; and what one read brings is opened message by message.
Spec: https://github.com/libp2p/specs/blob/master/noise/README.md#wire-format
"""

from __future__ import annotations

import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from peershelf.protocols.libp2p.security.codec import Buffer
from peershelf.protocols.libp2p.security.errors import ForgedMessage

LENGTH_SIZE = 2
TAG_SIZE = 16
MAX_MESSAGE = 65_535
MAX_PLAINTEXT = MAX_MESSAGE - TAG_SIZE
OVERHEAD = LENGTH_SIZE + TAG_SIZE

_LENGTH = struct.Struct(">H")
_NONCE = struct.Struct("<4xQ")


class MessageSplitter:
    """Cuts a sequence of bytes into messages, however it came; keeps at most one incomplete message."""

    def __init__(self) -> None:
        self._begun = bytearray()

    def split(self, data: bytes) -> list[memoryview]:
        """Return the messages that are complete with `data`, without their lengths."""
        messages: list[memoryview] = []
        view = memoryview(data)
        at = self._finish(view, messages) if self._begun else 0
        while len(view) - at >= LENGTH_SIZE:
            end = at + LENGTH_SIZE + _LENGTH.unpack_from(view, at)[0]
            if end > len(view):
                break
            messages.append(view[at + LENGTH_SIZE : end])
            at = end
        self._begun += view[at:]
        return messages

    def _finish(self, view: memoryview, messages: list[memoryview]) -> int:
        """Move the message that has begun to `messages`; return how many bytes of `view` that takes.

        Only that message is copied, not all that came with its end.
        """
        used = min(max(0, LENGTH_SIZE - len(self._begun)), len(view))
        self._begun += view[:used]
        if len(self._begun) < LENGTH_SIZE:
            return used
        missing = LENGTH_SIZE + _LENGTH.unpack_from(self._begun)[0] - len(self._begun)
        rest = view[used : used + missing]
        self._begun += rest
        if len(rest) == missing:
            messages.append(memoryview(self._begun)[LENGTH_SIZE:])
            self._begun = bytearray()
        return used + len(rest)


class NoiseCodec:
    """Both directions of one connection. Its keys are those that the handshake ended with.

    Args:
        sending: 32 bytes, the key for what we send.
        receiving: 32 bytes, the key for what the peer sends.
    """

    def __init__(self, sending: bytes, receiving: bytes) -> None:
        self._sending = ChaCha20Poly1305(sending)
        self._receiving = ChaCha20Poly1305(receiving)
        self._sent = 0
        self._received = 0
        self._splitter = MessageSplitter()

    def seal(self, data: Buffer) -> Buffer:
        """Return the messages that carry `data`."""
        view = memoryview(data)
        count = -(-len(view) // MAX_PLAINTEXT)
        sealed = bytearray(len(view) + count * OVERHEAD)
        places = memoryview(sealed)
        for number in range(count):
            piece = view[number * MAX_PLAINTEXT : (number + 1) * MAX_PLAINTEXT]
            at = number * (MAX_PLAINTEXT + OVERHEAD)
            size = len(piece) + TAG_SIZE
            _LENGTH.pack_into(sealed, at, size)
            place = places[at + LENGTH_SIZE : at + LENGTH_SIZE + size]
            self._sending.encrypt_into(_NONCE.pack(self._sent), piece, None, place)
            self._sent += 1
        return sealed

    def open(self, data: bytes) -> list[bytes]:
        """Return what the messages carry that are complete with `data`. Raises ForgedMessage."""
        opened = []
        for message in self._splitter.split(data):
            try:
                plaintext = self._receiving.decrypt(_NONCE.pack(self._received), message, None)
            except (InvalidTag, ValueError):
                raise ForgedMessage("a Noise message is not what the peer sealed") from None
            self._received += 1
            if plaintext:
                opened.append(plaintext)
        return opened
