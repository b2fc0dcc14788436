"""What turns plaintext into a secure channel's bytes and back, without I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

Buffer = bytes | bytearray | memoryview

Message = Sequence[Buffer]
"""Plaintext in pieces, at most MAX_MESSAGE bytes in all."""

MAX_MESSAGE = 65_519
"""Most plaintext that goes as one message: as much as Noise has room for."""


class Codec(Protocol):
    """One connection's keys. They go with running counters: give and send everything in order."""

    def seal(self, messages: Iterable[Message]) -> Buffer:
        """Return what is to be sent for all of `messages` in one piece.

        Each is sealed as one, where the channel has messages of that size; else it cuts them as it needs.
        """

    def open(self, data: bytes) -> Iterator[bytes]:
        """Yield the plaintext that is complete with `data`, message by message; an empty one says nothing.

        Nothing is opened before it is taken, and all is to be taken before what comes next is given. Raises
        ForgedMessage when somebody else had a hand in it.
        """


def in_messages(data: Buffer) -> list[Message]:
    """Cut `data` into messages, as few as it takes."""
    whole = memoryview(data)
    return [[whole[start : start + MAX_MESSAGE]] for start in range(0, len(whole), MAX_MESSAGE)]
