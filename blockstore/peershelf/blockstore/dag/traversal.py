"""Walking DAGs depth first without I/O: blocks are given out in order and asked for far ahead.

Theory of operation. What is known and not given out stands in a list in depth-first order (`frontier`).
wants() goes through it from the front and asks for what is not asked for yet, so that a thousand small blocks
cost as many round trips as one, whatever directories they are in. receive() lays a block's links out behind
its place. read() gives out blocks as long as the first of the list is here.

Which links a block has, and which of them to load, is for a guide to say. A `unique` traversal gives each
block out once, where it comes first. Where another place of it was asked for earlier, because its links were
known sooner, the block moves to the first place when that has its turn.

Memory is bounded whatever a stranger's DAG is like: `Budget` says what has to be forgotten, and is asked for
again later. What is left is a few hundred bytes for each level and, in a unique traversal, a key for each
block given out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Generic

from peershelf.blockstore.block import Block, inline_bytes
from peershelf.blockstore.cid import Cid
from peershelf.blockstore.dag.budget import Budget
from peershelf.blockstore.dag.frontier import Element, Frontier, Place, Run, StepT, Want, key_of
from peershelf.blockstore.dag.visit import Guide, Visit
from peershelf.blockstore.errors import BlockstoreError

_MOST_AT_ONCE = 1024


class Traversal(Generic[StepT]):
    """Plans a walk. Get what wants() says, receive() it in any order, take visits with read(), until done.

    Every `unique` block is visited once, at the first of its places; with `max_depth` (links from a root),
    that is the first place that is not too deep. The other way, every path to a block is a visit.
    """

    def __init__(
        self,
        roots: Iterable[StepT],
        guide: Guide[StepT],
        *,
        unique: bool = True,
        max_depth: int | None = None,
    ) -> None:
        self._guide = guide
        self._unique = unique
        self._max_depth = max_depth
        self._frontier: Frontier[StepT] = Frontier()
        self._budget = Budget(self._frontier)
        self._wants: dict[bytes, Want[StepT]] = {}
        self._seen: dict[bytes, int] = {}
        """The least depth at which a block was given out."""
        self._frontier.insert_run(self._frontier.before, Run(None, 0, tuple(roots)))

    @property
    def done(self) -> bool:
        """Whether read() has given out everything."""
        return self._frontier.first is None

    @property
    def is_waiting(self) -> bool:
        """Whether nothing can be read before a block that is on order has come."""
        first = self._frontier.first
        want = first.want if isinstance(first, Place) else None
        if isinstance(first, Run) and first.links is None and first.step is not None:
            want = self._wants.get(key_of(first.step.cid))
        return want is not None and not want.gone and not want.arrived

    def wants(self, budget_bytes: int) -> list[Cid]:
        """Return the blocks to get next, the most pressing first, each once until it is received.

        What is on order and what is held come to about `budget_bytes`, or to one block.
        """
        self._budget.limit = budget_bytes
        wanted: list[Cid] = []
        # Going through the list for every single block that there is room for would cost more than the block.
        only_first = not self._budget.has_much_room()
        before: Element[StepT] = self._frontier.before
        while (element := before.next) is not None:
            if before is not self._frontier.before and (only_first or not self._budget.has_room()):
                break
            before = self._plan(before, element, wanted)
        return wanted

    def receive(self, block: Block) -> None:
        """Take a block; one that was not asked for is passed over."""
        want = self._answered(block.cid)
        if want is not None:
            self._budget.note_size(len(block.data))
            self._arrive(want, block.data)

    def present(self, cid: Cid, size: int) -> None:
        """A leaf of so many bytes that was asked for exists, and is to be visited without its data."""
        want = self._answered(cid)
        if want is not None and isinstance(want.owner, Place):
            want.arrived, want.size = True, size
            self._lay_out(want.owner, ())

    def fail(self, cid: Cid, error: BlockstoreError) -> None:
        """A block that was asked for cannot be had."""
        want = self._answered(cid)
        if want is not None:
            want.arrived, want.error = True, error

    def read(self) -> list[Visit[StepT]]:
        """Return the visits whose turn it is, in order; an empty list if the next block is still missing.

        Raises the error of a block that cannot be had or read, after all that comes before it.
        """
        visits: list[Visit[StepT]] = []
        while (first := self._frontier.first) is not None and len(visits) < _MOST_AT_ONCE:
            try:
                if not self._advance(first, visits):
                    break
            except BlockstoreError:
                if visits:
                    break
                raise
        return visits

    # Asking ahead.

    def _plan(
        self, before: Element[StepT], element: Place[StepT] | Run[StepT], wanted: list[Cid]
    ) -> Element[StepT]:
        """See that an element of the list is asked for. Returns after what to go on."""
        if isinstance(element, Run):
            if element.is_spent:
                self._frontier.end_next(before, element)
                return before
            if element.links is None:
                self._ask(element, wanted)
                return element
            element = self._frontier.take(before, element)
        if element.is_idle:
            if self._is_seen(element):
                self._frontier.remove_next(before)
                return before
            if self._guide.loads(element.step):
                self._ask(element, wanted)
        return element

    def _ask(self, owner: Place[StepT] | Run[StepT], wanted: list[Cid]) -> None:
        assert owner.step is not None
        cid = owner.step.cid
        key = key_of(cid)
        want = self._wants.get(key)
        if want is not None:
            self._share(want, owner)
        elif owner is self._frontier.first or self._budget.fits(owner):
            owner.want = want = self._wants[key] = Want(owner)
            data = inline_bytes(cid)
            if data is not None:
                self._arrive(want, data)
            else:
                self._budget.asked += 1
                wanted.append(cid)

    def _share(self, want: Want[StepT], owner: Place[StepT] | Run[StepT]) -> None:
        """Somebody else needs a block that is asked for or held."""
        if isinstance(owner, Place):
            owner.want = want
            want.uses += 1
        elif want.data is not None:
            self._resume(owner, want.data)
        elif want.error is not None:
            owner.want = want

    # Taking in.

    def _answered(self, cid: Cid) -> Want[StepT] | None:
        want = self._wants.get(key_of(cid))
        if want is None or want.arrived:
            return None
        self._budget.asked -= 1
        return want

    def _arrive(self, want: Want[StepT], data: bytes) -> None:
        owner = want.owner
        if isinstance(owner, Run):
            self._drop(want)
            self._resume(owner, data)
            return
        try:
            children = self._expand(owner.step, data)
        except BlockstoreError as error:
            want.arrived, want.error = True, error
            return
        if owner is not self._frontier.first and self._budget.is_too_much(len(data), len(children)):
            owner.size, owner.width = len(data), len(children)
            self._drop(want)
            return
        want.arrived, want.data, want.size = True, data, len(data)
        self._budget.held += len(data)
        self._lay_out(owner, children)

    def _expand(self, step: StepT, data: bytes) -> Sequence[StepT]:
        steps = self._guide.expand(step, data)
        if not self._unique:
            return steps
        first: dict[bytes, StepT] = {}
        for child in steps:
            first.setdefault(key_of(child.cid), child)
        return steps if len(first) == len(steps) else tuple(first.values())

    def _lay_out(self, place: Place[StepT], children: Sequence[StepT]) -> None:
        place.children = children
        if children and (self._max_depth is None or place.depth < self._max_depth):
            place.run = Run(place.step, place.depth + 1, children)
            self._frontier.insert_run(place, place.run)

    def _resume(self, run: Run[StepT], data: bytes) -> None:
        assert run.step is not None
        self._frontier.resume(run, self._expand(run.step, data))

    def _drop(self, want: Want[StepT]) -> None:
        """Hold a block no more."""
        want.gone = True
        self._budget.held -= len(want.data or b"")
        want.data = None
        step = want.owner.step
        assert step is not None
        del self._wants[key_of(step.cid)]

    # Giving out.

    def _advance(self, first: Place[StepT] | Run[StepT], visits: list[Visit[StepT]]) -> bool:
        """Come one step nearer to the end. Returns whether that was possible. Raises BlockstoreError."""
        if isinstance(first, Run):
            return self._advance_run(first)
        if self._is_seen(first) or self._was_laid_out(first):
            self._leave(first)
        elif not self._guide.loads(first.step):
            visits.append(Visit(first.step, first.parent, first.depth, None, ()))
            self._leave(first)
        elif first.want is None or first.want.gone or not first.want.arrived:
            return False
        else:
            self._give_out(first, first.want, visits)
        return True

    def _advance_run(self, run: Run[StepT]) -> bool:
        if run.is_spent:
            self._frontier.end_next(self._frontier.before, run)
        elif run.links is not None:
            self._frontier.take(self._frontier.before, run)
        elif run.want is not None and run.want.error is not None:
            raise run.want.error
        else:
            return False
        return True

    def _give_out(self, place: Place[StepT], want: Want[StepT], visits: list[Visit[StepT]]) -> None:
        if want.error is not None:
            raise want.error
        if place.children is None:
            self._lay_out(place, () if want.data is None else self._expand(place.step, want.data))
        assert place.children is not None
        # A block that was too deep for all its links to be followed is not visited twice because of that.
        if place.key not in self._seen:
            visits.append(Visit(place.step, place.parent, place.depth, want.data, place.children, want.size))
        want.uses -= 1
        if self._unique or not want.uses:
            self._drop(want)
        self._leave(place)

    def _is_seen(self, place: Place[StepT]) -> bool:
        """Whether the place leads to nothing that was not given out."""
        depth = self._seen.get(place.key)
        return depth is not None and (self._max_depth is None or depth <= place.depth)

    def _was_laid_out(self, place: Place[StepT]) -> bool:
        """Whether only the links of the place remain to be followed."""
        return place.children is not None and place.key in self._seen

    def _leave(self, place: Place[StepT]) -> None:
        """Be done with the first place of the list."""
        if self._unique:
            self._seen[place.key] = min(place.depth, self._seen.get(place.key, place.depth))
        self._frontier.remove_next(self._frontier.before)
        if place.run is not None and not place.run.ended:
            self._frontier.put_on_path(place.run)
            self._budget.clear_path()
