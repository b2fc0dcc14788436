"""How far a reader of files asks ahead of what it has given out, and how it gives that out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

READ_AHEAD = 24 << 20
"""Bytes of one `cat` asked for ahead of what was delivered, at most: what three quick peers share."""

READ_AHEAD_OF_ALL = 64 << 20
"""Bytes that all of them share: a hundred slow readers must not hold a hundred times as much."""

SMALL_PIECE = 65_536
"""Bytes below which a piece is joined with its neighbours."""

STEPS_OF_STORE = 4
STEPS_OF_PEERS = 2
"""In how many steps that is asked for: of the store, whose readers want something to do, and of peers, whom
each step costs a message, a look-up and a turn, however many blocks it is for."""


def in_steps(ahead: int, read: int, steps: int) -> int:
    """How far to ask ahead now, so that what `ahead` bytes hold is asked for in so many steps."""
    return ahead - read % max(1, ahead // steps)


def share_of(readers: int) -> int:
    """How far one of so many may ask ahead: less with every other that reads at the same time."""
    return min(READ_AHEAD, READ_AHEAD_OF_ALL // readers)


def gathered(pieces: Iterable[bytes | memoryview]) -> Iterator[bytes | memoryview]:
    """Join small pieces, since whatever takes them on pays for each, and leave large ones uncopied."""
    small: list[bytes | memoryview] = []
    size = 0
    for piece in pieces:
        is_large = len(piece) >= SMALL_PIECE
        if small and (is_large or size >= SMALL_PIECE):
            yield b"".join(small)
            small, size = [], 0
        if is_large:
            yield piece
        else:
            small.append(piece)
            size += len(piece)
    if small:
        yield b"".join(small)
