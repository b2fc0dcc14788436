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

    __slots__ = ("arrived", "data", "error", "gone", "owner", "size", "uses")

    def __init__(self, owner: Place[StepT] | Run[StepT]) -> None:
        self.owner = owner
        """Where its links are laid out as soon as it arrives."""
        self.uses = 1
        self.data: bytes | None = None
        self.size = 0
        self.error: BlockstoreError | None = None
        self.arrived = False
        self.gone = False
        """Whether it was given out, or forgotten."""


class Frontier(Generic[StepT]):
    """The list itself. Its first element is `before.next`.

    The path is what has been given out above the first element: the runs of the blocks on it are those that
    wait longest.
    """

    __slots__ = ("_path", "before", "links_ahead", "links_on_path", "places")

    def __init__(self) -> None:
        self.before: Element[StepT] = Element()
        self.places = 0
        """How many places are in it."""
        self.links_ahead = 0
        """Links in runs of blocks that are not given out yet."""
        self.links_on_path = 0
        """Links in the other runs."""
        self._path: list[Run[StepT]] = []

    @property
    def first(self) -> Place[StepT] | Run[StepT] | None:
        return self.before.next

    def take(self, before: Element[StepT], run: Run[StepT]) -> Place[StepT]:
        """Turn the first link of the run, which stands after `before`, into a place."""
        assert run.links is not None
        place = Place(run.links[run.index], run.depth, run.step)
        run.index += 1
        place.next = before.next
        before.next = place
        self.places += 1
        return place

    def remove_next(self, before: Element[StepT]) -> None:
        """Remove the place that stands after `before`."""
        assert before.next is not None
        before.next = before.next.next
        self.places -= 1

    def insert_run(self, after: Element[StepT], run: Run[StepT]) -> None:
        run.next = after.next
        after.next = run
        self._count(run, run.width)

    def end_next(self, before: Element[StepT], run: Run[StepT]) -> None:
        """Remove the run that stands after `before`."""
        before.next = run.next
        run.ended = True
        if run.links is not None:
            self._count(run, -run.width)

    def put_on_path(self, run: Run[StepT]) -> None:
        """The run's block has been given out."""
        self._count(run, -run.width)
        run.on_path = True
        self._count(run, run.width)
        while self._path and self._path[-1].ended:
            self._path.pop()
        self._path.append(run)

    def forget_links(self, most: int) -> None:
        """Forget links on the path, those that wait longest first, until there are no more than `most`."""
        for run in self._path[:-1]:
            if self.links_on_path <= most:
                return
            if run.links is not None and not run.ended:
                run.links = None
                self._count(run, -run.width)

    def resume(self, run: Run[StepT], links: Sequence[StepT]) -> None:
        """Give a run back the links that were forgotten."""
        run.links = links
        self._count(run, run.width)

    def _count(self, run: Run[StepT], change: int) -> None:
        if run.on_path:
            self.links_on_path += change
        else:
            self.links_ahead += change
