"""What turns plaintext into a secure channel's bytes and back, without I/O."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

Buffer = bytes | bytearray | memoryview


class Codec(Protocol):
    """One connection's keys. They go with running counters: give and send everything in order."""

    def seal(self, data: Buffer) -> Buffer:
        """Return what is to be sent for `data`, all of it in one piece."""

    def open(self, data: bytes) -> Iterator[bytes]:
        """Yield the plaintext that is complete with `data`, message by message; an empty one says nothing.

        Nothing is opened before it is taken, and all is to be taken before what comes next is given. Raises
        ForgedMessage when somebody else had a hand in it.
        """
