"""Puts and deletes in a store for ever, and says on stdout what has been acknowledged. To be killed.

    python store_worker.py DIRECTORY ROUND

A block's name, round and number, gives its bytes, so that whoever reads the output knows them too.
"""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

from peershelf.blockstore.block import Block
from peershelf.blockstore.store.pack import PackStore

SEGMENT_SIZE = 1024 * 1024
_SIZES = (40, 1024, 1024, 9000, 65_536, 300_000)


def block(name: str) -> Block:
    """Make the block of a name."""
    rng = random.Random(name)
    return Block.create(rng.randbytes(rng.choice(_SIZES)))


def main(directory: Path, round_number: int) -> None:
    rng = random.Random(round_number)
    live: list[str] = []
    counter = 0
    with PackStore.open(directory, segment_size=SEGMENT_SIZE) as store:
        _say("open", [])
        while True:
            if rng.random() < 0.8 or len(live) < 20:
                names = [f"{round_number}-{counter + number}" for number in range(rng.choice((1, 1, 4, 16)))]
                counter += len(names)
                durable = rng.random() < 0.7
                _say("putting", names)
                store.put_many([block(name) for name in names], durable=durable)
                live += names
                _say("put" if durable else "cached", names)
            else:
                names = [live.pop(rng.randrange(len(live))) for _ in range(10)]
                _say("deleting", names)
                store.delete_many([block(name).cid for name in names])
                _say("deleted", names)


def _say(event: str, names: list[str]) -> None:
    # One write for each line: a kill leaves none half written that this process could tell apart.
    os.write(1, " ".join([event, *names]).encode() + b"\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
