"""Collecting garbage in a node: what must stay is marked, then the store sweeps the rest.

Theory of operation. Everything that pins holds what it pins (`store.hold()`) until the pin is durable, and
the store keeps the holds that end during a collection. So the pins that are read at its beginning, and the
holds, are all that has to stay; and so does what somebody reads, the temporary roots, of which those that
came meanwhile are marked before each step. What a peer is sending goes to its reader before it is asked for
in the store, so its blocks need no protection of their own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.gc.marking import Marks
from peershelf.blockstore.gc.roots import TemporaryRoots
from peershelf.blockstore.pins import Pins
from peershelf.blockstore.store.base import Blockstore, Swept


@dataclass(frozen=True, slots=True)
class Collected:
    """What a garbage collection removed."""

    blocks: int = 0
    payload_size: int = 0
    """Bytes of those blocks."""
    freed: int = 0
    """Bytes of disk space that came back."""
    seconds: float = 0.0

    def plus(self, swept: Swept) -> Collected:
        """The same with one more step."""
        return replace(
            self,
            blocks=self.blocks + len(swept.keys),
            payload_size=self.payload_size + swept.payload_size,
            freed=self.freed + swept.freed,
        )


class Collector:
    """Collects garbage in a store, in the thread that calls."""

    def __init__(self, store: Blockstore, pins: Pins, roots: TemporaryRoots) -> None:
        self._store = store
        self._pins = pins
        self._roots = roots

    def collect(
        self,
        on_swept: Callable[[Swept], None] = lambda swept: None,
        check: Callable[[], None] = lambda: None,
        *,
        forget_lost_pins: bool = False,
    ) -> Collected:
        """Collect once. `on_swept` is told of each step; `check` may raise, to end the collection there.

        Whatever ends it, nothing that must stay is lost, and the next collection goes on. Raises
        AlreadyCollecting, BrokenPin and PinsLost before anything is removed, StoreError, StoreFull.
        `forget_lost_pins` accepts that pins were lost, once and for all.
        """
        start = time.monotonic()
        collected = Collected()
        if forget_lost_pins:
            self._pins.accept_loss()
        self._pins.check_complete()
        with self._store.collecting() as collection:
            marking = _Marking(self._store, self._roots, check)
            for pin in self._pins.list():
                marking.marks.add_pin(pin)
            for swept in collection.sweep(marking.marks.live, before_step=marking.follow_readers):
                collected = collected.plus(swept)
                on_swept(swept)
        return replace(collected, seconds=time.monotonic() - start)


class _Marking:
    """Marks, and of the readers those that were marked already."""

    def __init__(self, store: Blockstore, roots: TemporaryRoots, check: Callable[[], None]) -> None:
        self.marks = Marks(store.get, check)
        self._roots = roots
        self._check = check
        self._generation = -1
        self._marked: set[Cid] = set()

    def follow_readers(self) -> None:
        """Mark what is read since the last time."""
        self._check()
        generation = self._roots.generation
        if generation == self._generation:
            return
        self._generation = generation
        for root in self._roots.current():
            if root not in self._marked:
                self._marked.add(root)
                self.marks.add_present(root)
