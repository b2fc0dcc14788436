"""What is added to a repo: where its blocks go, and what makes a root safe before anybody is told of it.

The same for a node and for a command that runs none. Everything blocks, and any thread may call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from peershelf.blockstore.block import Block
    from peershelf.blockstore.cid import Cid
    from peershelf.blockstore.pins import Pins
    from peershelf.blockstore.store.base import Blockstore, Hold
    from peershelf.blockstore.unixfs.batch import Sink
    from peershelf.blockstore.unixfs.profiles import Profile
    from peershelf.node.providing.announcer import Announcer
    from peershelf.node.trees import OnAdded, TreeBuilder


class Additions:
    """Adds to a store; without an `announcer`, nothing is announced. `on_stored` is told of new blocks.

    `check` raises for a block that must not be stored, such as ContentBlocked.
    """

    def __init__(
        self,
        store: Blockstore,
        pins: Pins,
        check: Callable[[Iterable[Cid]], object],
        announcer: Announcer | None,
        on_stored: Callable[[Sequence[Block]], object] = id,
    ) -> None:
        self._store = store
        self._pins = pins
        self._check = check
        self._announcer = announcer
        self._on_stored = on_stored
        self._unannounced = 0

    @property
    def any_unannounced(self) -> bool:
        """Whether something is being added right now of which nobody must be told."""
        return self._unannounced > 0

    @contextmanager
    def holding(self, *, announce: bool) -> Iterator[Hold]:
        """Something is being added: its blocks are held, and without `announce` no sweep tells of them."""
        self._unannounced += not announce
        try:
            with self._store.hold() as hold:
                yield hold
        finally:
            self._unannounced -= not announce

    def sink(self, hold: Hold, *, durable: bool) -> Sink:
        """Where an add puts its blocks; `hold` keeps them from being collected before they are pinned.

        If one of them must not be stored, none is.
        """

        def store(blocks: Sequence[Block]) -> None:
            self._check(block.cid for block in blocks)
            if durable:
                hold.put_many(blocks)
            else:
                hold.put_behind(blocks)
            self._on_stored(blocks)

        return store

    @contextmanager
    def tree(
        self, profile: Profile, *, pin: bool, announce: bool, on_added: OnAdded | None = None
    ) -> Iterator[TreeBuilder]:
        """A tree to put entries into. Unless it is finished inside the block, nothing of it is kept."""
        from peershelf.node.trees import TreeBuilder

        losses = self._store.losses

        def keep(root: Cid) -> None:
            self.keep(root, losses, pin=pin, announce=announce)

        with self.holding(announce=announce) as hold:
            yield TreeBuilder(self.sink(hold, durable=False), profile, keep, on_added)

    def keep(self, root: Cid, losses: int, *, pin: bool, announce: bool) -> None:
        """Sync what was put since the store counted `losses`, and only then pin it."""
        self._store.sync(losses=losses)
        if pin:
            self._pins.add(root, announced=announce)
        elif not announce:
            self._pins.set_announced(root, False)
        if pin or not announce:
            self.announce(root)

    def announce(self, root: Cid) -> None:
        """A root was pinned: have it announced, unless it is one that must not be."""
        if self._announcer is None:
            return
        if self._pins.is_announced(root):
            self._announcer.announce(root)
        else:
            self._announcer.withhold(root)


@contextmanager
def hashed_tree(profile: Profile, on_added: OnAdded | None = None) -> Iterator[TreeBuilder]:
    """A tree of which only the CIDs are of interest: nothing of it is stored."""
    from peershelf.node.trees import TreeBuilder

    yield TreeBuilder(lambda blocks: None, profile, lambda root: None, on_added)
