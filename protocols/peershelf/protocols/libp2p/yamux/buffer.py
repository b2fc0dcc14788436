"""What a stream has received and nobody has read."""

from __future__ import annotations

from collections import deque

_SMALL = 4_096
_MERGED = 65_536

Piece = bytes | bytearray | memoryview
"""Whoever takes one is the only one that has it: it does not change any more."""


class ReceiveBuffer:
    """Bytes in, bytes out, in order. Takes little more memory than it has bytes, however small they came."""

    def __init__(self) -> None:
        self._pieces: deque[Piece] = deque()
        self._offset = 0
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def append(self, piece: memoryview) -> None:
        """Take `piece` in, by reference if it is most of its object and that cannot change, else by copy.

        Small ones that follow each other share an object.
        """
        self._size += len(piece)
        last = self._pieces[-1] if self._pieces else None
        if len(piece) <= _SMALL:
            if isinstance(last, bytearray) and len(last) + len(piece) <= _MERGED:
                last += piece
            else:
                self._pieces.append(bytearray(piece))
        elif isinstance(piece.obj, bytes) and 2 * len(piece) >= len(piece.obj):
            self._pieces.append(piece)
        else:
            self._pieces.append(bytes(piece))

    def take(self, most: int) -> list[Piece]:
        """Remove and return the first bytes, at most `most`, as they lie there; no piece is empty."""
        parts: list[Piece] = []
        wanted = left = min(most, self._size)
        while left:
            piece = self._pieces[0]
            size = len(piece) - self._offset
            if size <= left:
                parts.append(memoryview(piece)[self._offset :] if self._offset else piece)
                self._pieces.popleft()
                self._offset = 0
            else:
                size = left
                part = memoryview(piece)[self._offset : self._offset + left]
                # What small pieces are gathered in may still grow, which nobody may look at meanwhile.
                parts.append(bytes(part) if isinstance(piece, bytearray) else part)
                self._offset += left
            left -= size
        self._size -= wanted
        return parts

    def clear(self) -> None:
        """Forget everything."""
        self._pieces.clear()
        self._offset = self._size = 0
