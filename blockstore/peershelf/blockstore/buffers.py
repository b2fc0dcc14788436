"""Bytes in several pieces, behind one another, as one read brings them and one write takes them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import overload

Buffers = Sequence[bytes | memoryview]


def cut(buffers: Buffers, size: int) -> tuple[Buffers, Buffers]:
    """Part buffers into the first `size` bytes, fewer where there are not as many, and the rest."""
    for count, buffer in enumerate(buffers):
        if size < len(buffer):
            whole = memoryview(buffer)
            first = [*buffers[:count], whole[:size]] if size else buffers[:count]
            return first, [whole[size:], *buffers[count + 1 :]]
        size -= len(buffer)
    return buffers, []


class Rope:
    """Bytes that lie in several pieces, none of them empty, to be sliced without copying.

    bytes() copies them, once. Single bytes, and slices, cost more than those of a memoryview.
    """

    __slots__ = ("_ends", "pieces")

    def __init__(self, pieces: Sequence[memoryview]) -> None:
        self.pieces = pieces
        self._ends = list(accumulate(map(len, pieces)))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __bytes__(self) -> bytes:
        return b"".join(self.pieces)

    @overload
    def __getitem__(self, key: int) -> int: ...

    @overload
    def __getitem__(self, key: slice) -> memoryview | Rope: ...

    def __getitem__(self, key: int | slice) -> int | memoryview | Rope:
        """One byte, or a slice of step 1, which is a memoryview where it lies within one piece."""
        if isinstance(key, int):
            number, start = self._find(key)
            return self.pieces[number][key - start]
        begin, end, _ = key.indices(len(self))
        if begin >= end:
            return memoryview(b"")
        first, start = self._find(begin)
        last, last_start = self._find(end - 1)
        if first == last:
            return self.pieces[first][begin - start : end - start]
        inner = self.pieces[first + 1 : last]
        return Rope([self.pieces[first][begin - start :], *inner, self.pieces[last][: end - last_start]])

    def _find(self, offset: int) -> tuple[int, int]:
        """The number of the piece in which a byte lies, and where that begins. Raises IndexError."""
        number = bisect_right(self._ends, offset)
        if number == len(self._ends):
            raise IndexError("a byte behind the end")
        return number, self._ends[number] - len(self.pieces[number])
