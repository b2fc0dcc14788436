"""Uses a store and pins for a while, and says in MARKS what has been acknowledged. To be recorded.

    python workload.py DIRECTORY MARKS SEED

A block's name gives its bytes. Every line says what begins ("putting a b") or is done ("put a b").
"""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

from peershelf.blockstore.block import Block
from peershelf.blockstore.pins import Pins
from peershelf.blockstore.store.live import LiveKeys
from peershelf.blockstore.store.pack import PackStore, active

SEGMENT_SIZE = 48 * 1024
LARGE = 8 * 1024
"""So that some of the appends go around the kernel's cache."""

_SIZES = (40, 700, 700, 3000, 9000, 20_000)
_STEPS = 60


def block(name: str) -> Block:
    """Make the block of a name."""
    rng = random.Random(name)
    return Block.create(rng.randbytes(rng.choice(_SIZES)))


class Work:
    """One store in use."""

    def __init__(self, directory: Path, marks: Path, seed: int) -> None:
        self._directory = directory
        self._marks = os.open(marks, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._rng = random.Random(seed)
        self._names: list[str] = []
        self._pinned: list[str] = []
        self._made = 0

    def run(self) -> None:
        """Open, work and close a few times."""
        self._directory.mkdir(exist_ok=True)
        for _ in range(3):
            with (
                PackStore.open(self._directory, segment_size=SEGMENT_SIZE) as store,
                Pins(self._directory / "facts.db") as pins,
            ):
                for _ in range(_STEPS):
                    self._step(store, pins)
                store.sync()
                self._say("synced", [])

    def _step(self, store: PackStore, pins: Pins) -> None:
        what = self._rng.random()
        if what < 0.55 or len(self._names) < 12:
            self._put(store)
        elif what < 0.65:
            self._delete(store)
        elif what < 0.8:
            self._pin(pins)
        elif what < 0.9:
            self._unpin(pins)
        else:
            self._collect(store)

    def _put(self, store: PackStore) -> None:
        count = self._rng.choice((1, 2, 5))
        names = [f"block-{self._made + number}" for number in range(count)]
        self._made += count
        durable = self._rng.random() < 0.6
        self._say("putting", names)
        blocks = [block(name) for name in names]
        if durable or self._rng.random() < 0.5:
            store.put_many(blocks, durable=durable)
        else:
            with store.hold() as hold:
                hold.put_behind(blocks)
        self._say("put" if durable else "cached", names)
        self._names += names

    def _delete(self, store: PackStore) -> None:
        names = [self._names.pop(self._rng.randrange(len(self._names))) for _ in range(3)]
        self._say("deleting", names)
        store.delete_many([block(name).cid for name in names])
        self._say("deleted", names)

    def _pin(self, pins: Pins) -> None:
        name = f"pin-{self._made}-{self._rng.random()}"
        self._say("pinning", [name])
        pins.add(block(name).cid)
        self._say("pinned", [name])
        self._pinned.append(name)

    def _unpin(self, pins: Pins) -> None:
        if self._pinned:
            name = self._pinned.pop(self._rng.randrange(len(self._pinned)))
            self._say("unpinning", [name])
            pins.remove(block(name).cid)
            self._say("unpinned", [name])

    def _collect(self, store: PackStore) -> None:
        kept = self._rng.sample(self._names, len(self._names) * 2 // 3)
        live = {block(name).cid.multihash for name in kept}
        self._say("collecting", [name for name in self._names if name not in kept])
        with store.collecting() as collection:
            for _ in collection.sweep(LiveKeys(live)):
                pass
        self._names = kept
        self._say("collected", [])

    def _say(self, event: str, names: list[str]) -> None:
        os.write(self._marks, " ".join([event, *names]).encode() + b"\n")


if __name__ == "__main__":
    active.LARGE = LARGE
    Work(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])).run()
