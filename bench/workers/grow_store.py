"""Fills a store and measures put and get at several sizes of it.

usage: grow_store DIRECTORY COUNT…
prints for each of the ascending counts {"blocks", "put", "get", "open", "resident"}

Put is the rate of the last blocks, in durable batches of 256; get is the rate of blocks in random order,
from a store that was just opened.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from peershelf.blockstore.block import Block
from peershelf.blockstore.store.pack import PackStore

SIZE = 1024
_BATCH = 256
_PROBED = 5_000


def main(directory: Path, counts: Sequence[int]) -> None:
    """Grow one store through all sizes."""
    done = 0
    for count in counts:
        probed = min(_PROBED, count - done)
        with PackStore.open(directory) as store:
            for batch in batches(range(done, count - probed)):
                store.put_many(batch, durable=False)
            store.sync()
            last = list(batches(range(count - probed, count)))
            start = time.perf_counter()
            for batch in last:
                store.put_many(batch)
            put_rate = probed / (time.perf_counter() - start)
        done = count
        print(json.dumps({"blocks": count, "put": put_rate, **read(directory, count)}), flush=True)


def batches(numbers: range) -> Iterator[list[Block]]:
    """Make the blocks of these numbers."""
    for first in range(numbers.start, numbers.stop, _BATCH):
        yield [block(number) for number in range(first, min(first + _BATCH, numbers.stop))]


def read(directory: Path, count: int) -> dict[str, float]:
    """Get blocks in random order from the store, opened anew."""
    source = random.Random(count)
    cids = [block(source.randrange(count)).cid for _ in range(_PROBED)]
    start = time.perf_counter()
    with PackStore.open(directory) as store:
        opened = time.perf_counter() - start
        start = time.perf_counter()
        for cid in cids:
            store.get(cid)
        rate = _PROBED / (time.perf_counter() - start)
        return {"get": rate, "open": opened, "resident": resident()}


def block(number: int) -> Block:
    """The block of a number; its bytes do not compress and do not repeat."""
    return Block.create(random.Random(number).randbytes(SIZE))


def resident() -> float:
    """MiB of memory that this process has."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(word) for word in sys.argv[2:]])
