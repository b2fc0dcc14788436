"""What turns plaintext into a secure channel's bytes and back, without I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

Buffer = bytes | bytearray | memoryview


class Codec(Protocol):
    """One connection's keys. They go with running counters: give and send everything in order."""

    def seal(self, data: Buffer) -> Buffer:
        """Return what is to be sent for `data`, all of it in one piece."""

    def open(self, data: bytes) -> Sequence[bytes]:
        """Return the plaintext that is complete with `data`, in pieces, none of them empty.

        Raises ForgedMessage when somebody else had a hand in it.
        """
