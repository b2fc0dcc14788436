"""Puts within holds, pins, and collects in a second thread for ever, and says what is pinned. To be killed.

    python collecting_worker.py DIRECTORY ROUND PIN...

A pin is a name; it stands for the blocks that `blocks` makes of it. What is not pinned is garbage.
"""

from __future__ import annotations

import os
import random
import sys
import threading
from pathlib import Path

from peershelf.blockstore.block import Block
from peershelf.blockstore.store.live import LiveKeys
from peershelf.blockstore.store.pack import PackStore

SEGMENT_SIZE = 256 * 1024
_SIZES = (40, 300, 1024, 9000, 30_000)


def blocks(name: str) -> list[Block]:
    """Make the blocks that a pin stands for; some are those of other pins, too."""
    rng = random.Random(name)
    shared = [Block.create(b"shared %d" % rng.randrange(40) * 50) for _ in range(3)]
    return [*shared, *(Block.create(rng.randbytes(rng.choice(_SIZES))) for _ in range(rng.randrange(1, 12)))]


class Worker:
    """One store, and the pins that its blocks are held by."""

    def __init__(self, store: PackStore, pinned: list[str]) -> None:
        self._store = store
        self._pinned = pinned
        self._lock = threading.Lock()

    def add(self, name: str, *, durable: bool) -> None:
        with self._store.hold() as hold:
            losses = self._store.losses
            hold.put_many(blocks(name), durable=durable)
            self._store.sync(losses=losses)
            with self._lock:
                self._pinned.append(name)
            _say("pinned", name)

    def unpin(self, rng: random.Random) -> None:
        with self._lock:
            name = rng.choice(self._pinned)
            # Said first: once it is not pinned any more, its blocks may go at once.
            _say("unpinned", name)
            self._pinned.remove(name)

    def collect_for_ever(self) -> None:
        try:
            while True:
                with self._store.collecting() as collection:
                    with self._lock:
                        names = list(self._pinned)
                    live = LiveKeys(block.cid.multihash for name in names for block in blocks(name))
                    for _ in collection.sweep(live):
                        pass
                _say("collected", str(self._store.stats().disk_size))
        except BaseException as error:
            _say("failed", repr(error))
            raise


def main(directory: Path, round_number: str, pinned: list[str]) -> None:
    rng = random.Random(round_number)
    with PackStore.open(directory, segment_size=SEGMENT_SIZE) as store:
        _say("open", "")
        worker = Worker(store, pinned)
        threading.Thread(target=worker.collect_for_ever, daemon=True).start()
        counter = 0
        while True:
            if len(pinned) < 30 or rng.random() < 0.4:
                worker.add(f"{round_number}-{counter}", durable=rng.random() < 0.5)
                counter += 1
            else:
                worker.unpin(rng)


def _say(event: str, word: str) -> None:
    # One write for each line: a kill leaves none half written that this process could tell apart.
    os.write(1, f"{event} {word}\n".encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
