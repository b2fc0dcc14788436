"""The part of a traversal that is known and not given out yet: a list in depth-first order.

Its elements are places, where blocks stand that are asked for or here, and runs, the links of one block that
are no places yet. A block's run follows its place. Taking a link turns the first of a run into a place before
it, so the list stays in order wherever it grows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

from peershelf.blockstore import varint
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.errors import BlockstoreError


class Step(Protocol):
    """A way to a block. What else it carries is for the guide that made it."""

    @property
    def cid(self) -> Cid: ...


StepT = TypeVar("StepT", bound=Step)


def key_of(cid: Cid) -> bytes:
    """What two CIDs have in common that lead to the same block with the same links."""
    return cid.multihash + varint.encode(cid.codec)


class Element(Generic[StepT]):
    """Something in the list, or what stands before its first element."""

    __slots__ = ("next",)

    def __init__(self) -> None:
        self.next: Place[StepT] | Run[StepT] | None = None


class Place(Element[StepT]):
    """Where a block stands in the order."""

    __slots__ = ("children", "depth", "key", "parent", "run", "size", "step", "want", "width")

    def __init__(self, step: StepT, depth: int, parent: StepT | None) -> None:
        super().__init__()
        self.step = step
        self.key = key_of(step.cid)
        self.depth = depth
        self.parent = parent
        self.want: Want[StepT] | None = None
        self.children: Sequence[StepT] | None = None
        """Once they are known and, if they are to be followed, laid out in `run`."""
        self.run: Run[StepT] | None = None
        self.size = self.width = 0
        """Bytes and links of a block that came and was too much to hold."""

    @property
    def is_idle(self) -> bool:
        """Whether its block is neither asked for nor held."""
        return self.want is None or self.want.gone


class Run(Element[StepT]):
    """The links of one block from `index` on. `links` is None where they were forgotten to save memory."""

    __slots__ = ("depth", "ended", "index", "links", "on_path", "step", "want", "width")

    def __init__(self, step: StepT | None, depth: int, links: Sequence[StepT]) -> None:
        super().__init__()
        self.step = step
        """The way to the block itself; None for that of the roots."""
        self.depth = depth
        """How deep its links lead."""
        self.links: Sequence[StepT] | None = links
        self.width = len(links)
        self.index = 0
        self.want: Want[StepT] | None = None
        self.on_path = False
        """Whether the block itself was given out."""
        self.ended = False

    @property
    def is_spent(self) -> bool:
        return self.index >= self.width


class Want(Generic[StepT]):
    """A block that is asked for or held, for all the places where it is needed."""

    __slots__ = ("arrived", "data", "error", "gone", "owner", "uses")

    def __init__(self, owner: Place[StepT] | Run[StepT]) -> None:
        self.owner = owner
        """Where its links are laid out as soon as it arrives."""
        self.uses = 1
        self.data: bytes | None = None
        self.error: BlockstoreError | None = None
        self.arrived = False
        self.gone = False
        """Whether it was given out, or forgotten."""


class Frontier(Generic[StepT]):
    """The list itself. Its first element is `before.next`."""

    __slots__ = ("before", "places")

    def __init__(self) -> None:
        self.before: Element[StepT] = Element()
        self.places = 0
        """How many places are in it."""

    @property
    def first(self) -> Place[StepT] | Run[StepT] | None:
        return self.before.next

    def insert(self, after: Element[StepT], element: Place[StepT] | Run[StepT]) -> None:
        element.next = after.next
        after.next = element
        self.places += isinstance(element, Place)

    def remove_next(self, before: Element[StepT]) -> None:
        removed = before.next
        assert removed is not None
        before.next = removed.next
        self.places -= isinstance(removed, Place)

    def take(self, before: Element[StepT], run: Run[StepT]) -> Place[StepT]:
        """Turn the first link of the run, which stands after `before`, into a place."""
        assert run.links is not None
        place = Place(run.links[run.index], run.depth, run.step)
        run.index += 1
        self.insert(before, place)
        return place
