"""How much a traversal may have on order and hold, whatever a stranger's DAG is like.

What comes ahead of its turn and is too much, in bytes or in links, is to be forgotten and asked for again
later; it is noted with its place how much it was. Links beside the path from the root to the block whose turn
it is are forgotten when they are too many, farthest from their turn first, and read again in their time.
"""

from __future__ import annotations

from typing import Generic

from peershelf.blockstore.dag.frontier import Frontier, Place, Run, StepT

MAX_ASKED = 1024
"""Most blocks on order."""

MAX_PLACES = 4096
"""Most blocks on order or held, and repetitions of them."""

MAX_LINKS = 1 << 16
"""Links that are known ahead of their turn, about."""

_MOST_ON_PATH = 4 * MAX_LINKS
_UNKNOWN_BLOCK = 65_536
_SMOOTHING = 0.25


class Budget(Generic[StepT]):
    """Counts blocks on order and bytes held; of places and links the frontier has the count."""

    __slots__ = ("_frontier", "_usual_size", "asked", "held", "limit")

    def __init__(self, frontier: Frontier[StepT]) -> None:
        self._frontier = frontier
        self._usual_size: float = _UNKNOWN_BLOCK
        self.limit = 0
        """Bytes that may be on order and held."""
        self.asked = 0
        """Blocks on order."""
        self.held = 0
        """Bytes that are here and not given out."""

    def note_size(self, size: int) -> None:
        """A block of so many bytes has come: those on order may be as large."""
        self._usual_size = max(size, self._usual_size + _SMOOTHING * (size - self._usual_size))

    def has_room(self) -> bool:
        """Whether another block can be asked for."""
        return (
            self.asked < MAX_ASKED
            and self._frontier.places < MAX_PLACES
            and self.held + self.asked * self._usual_size < self.limit
        )

    def has_much_room(self) -> bool:
        """Whether many blocks can be."""
        return self.asked <= MAX_ASKED * 3 // 4 and self._frontier.places <= MAX_PLACES * 3 // 4

    def fits(self, owner: Place[StepT] | Run[StepT]) -> bool:
        """Whether something that was too much by its first time can be held now."""
        if isinstance(owner, Run):
            return self._frontier.links_on_path + owner.width <= MAX_LINKS
        return self.held + owner.size <= self.limit and self._frontier.links_ahead + owner.width <= MAX_LINKS

    def is_too_much(self, size: int, links: int) -> bool:
        """Whether a block that came ahead of its turn cannot be held."""
        return self.held + size > 2 * self.limit or self._frontier.links_ahead + links > MAX_LINKS

    def clear_path(self) -> None:
        """Forget links beside the path, if there are too many."""
        if self._frontier.links_on_path > _MOST_ON_PATH:
            self._frontier.forget_links(MAX_LINKS)
