"""Bytes in several pieces, behind one another, as one write takes them."""

from __future__ import annotations

from collections.abc import Sequence

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
