"""Noise messages once the handshake is done: sealed in batches, opened in batches.

    length 2 (big-endian) | ciphertext, at most 65,519 | tag 16

A batch is put together with room for lengths and tags, and each message is encrypted where it lies: so the
plaintext is copied once, and a batch costs one write. What one read brings is opened message by message.
Spec: https://github.com/libp2p/specs/blob/master/noise/README.md#wire-format
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from peershelf.protocols.libp2p.security.codec import Buffer, Message
from peershelf.protocols.libp2p.security.errors import ForgedMessage

LENGTH_SIZE = 2
TAG_SIZE = 16
OVERHEAD = LENGTH_SIZE + TAG_SIZE

_NO_TAG = bytes(TAG_SIZE)

_LENGTH = struct.Struct(">H")
_NONCE = struct.Struct("<4xQ")


class MessageSplitter:
    """Cuts a sequence of bytes into messages, however it came; keeps at most one incomplete message."""

    def __init__(self) -> None:
        self._begun = bytearray()

    def split(self, data: bytes) -> Iterator[memoryview]:
        """Yield the messages that are complete with `data`, without their lengths. Take all of them."""
        view = memoryview(data)
        at = 0
        if self._begun:
            at = self._finish(view)
            if not self._missing:
                begun, self._begun = self._begun, bytearray()
                yield memoryview(begun)[LENGTH_SIZE:]
        while len(view) - at >= LENGTH_SIZE:
            end = at + LENGTH_SIZE + _LENGTH.unpack_from(view, at)[0]
            if end > len(view):
                break
            yield view[at + LENGTH_SIZE : end]
            at = end
        self._begun += view[at:]

    def _finish(self, view: memoryview) -> int:
        """Add to the message that has begun what it lacks; return how many bytes of `view` that takes.

        Only that message is copied, not all that came with its end.
        """
        used = 0
        while self._missing and used < len(view):
            more = view[used : used + self._missing]
            self._begun += more
            used += len(more)
        return used

    @property
    def _missing(self) -> int:
        """Bytes that the message that has begun lacks, or its length does."""
        if len(self._begun) < LENGTH_SIZE:
            return LENGTH_SIZE - len(self._begun)
        return LENGTH_SIZE + int.from_bytes(self._begun[:LENGTH_SIZE], "big") - len(self._begun)


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

    def seal(self, messages: Iterable[Message]) -> Buffer:
        """Return `messages`, each sealed as one."""
        parts: list[Buffer] = []
        sizes: list[int] = []
        for message in messages:
            size = sum(map(len, message)) + TAG_SIZE
            sizes.append(size)
            parts += (_LENGTH.pack(size), *message, _NO_TAG)
        sealed = bytearray().join(parts)
        self._encrypt(memoryview(sealed), sizes)
        return sealed

    def _encrypt(self, sealed: memoryview, sizes: list[int]) -> None:
        """Encrypt messages of `sizes` bytes, tags included, where they lie behind their lengths."""
        end = 0
        for size in sizes:
            begin = end + LENGTH_SIZE
            end = begin + size
            message = sealed[begin:end]
            self._sending.encrypt_into(_NONCE.pack(self._sent), message[:-TAG_SIZE], None, message)
            self._sent += 1

    def open(self, data: bytes) -> Iterator[bytes]:
        """Yield what the messages carry that are complete with `data`. Raises ForgedMessage."""
        for message in self._splitter.split(data):
            try:
                plaintext = self._receiving.decrypt(_NONCE.pack(self._received), message, None)
            except (InvalidTag, ValueError):
                raise ForgedMessage("a Noise message is not what the peer sealed") from None
            self._received += 1
            yield plaintext
