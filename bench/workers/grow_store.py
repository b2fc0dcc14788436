"""Fills a store and measures put and get at several sizes of it.

usage: grow_store DIRECTORY COUNT…
prints for each of the ascending counts {"blocks", "put", "settled", "get", "open", "resident"}

Put is the rate of the last blocks, in durable batches of 256, without the work that the store puts off.
Settled is that of the last half of the blocks, at most 100,000, until the store is closed: nothing is left
out of it. Get is the rate of blocks in random order, from a store that was just opened and whose files were
read once, so that stores of each size are in memory.
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
_PUT = 5_000
_SETTLED = 100_000
_GOT = 20_000
_PIECE = 1 << 20


def main(directory: Path, counts: Sequence[int]) -> None:
    """Grow one store through all sizes."""
    done = 0
    for count in counts:
        settled = min(_SETTLED, (count - done) // 2)
        with PackStore.open(directory) as store:
            for batch in batches(range(done, count - settled)):
                store.put_many(batch, durable=False)
        rates = put(directory, range(count - settled, count))
        done = count
        print(json.dumps({"blocks": count, **rates, **read(directory, count)}), flush=True)


def put(directory: Path, numbers: range) -> dict[str, float]:
    """Put blocks, durably, and close the store; making the blocks is not timed."""
    probed = min(_PUT, len(numbers))
    store = PackStore.open(directory)
    before = _put_all(store, numbers[:-probed])
    last = _put_all(store, numbers[-probed:])
    start = time.perf_counter()
    store.close()
    closing = time.perf_counter() - start
    return {"put": probed / last, "settled": len(numbers) / (before + last + closing)}


def _put_all(store: PackStore, numbers: range) -> float:
    seconds = 0.0
    for batch in batches(numbers):
        start = time.perf_counter()
        store.put_many(batch)
        seconds += time.perf_counter() - start
    return seconds


def batches(numbers: range) -> Iterator[list[Block]]:
    """Make the blocks of these numbers."""
    for first in range(numbers.start, numbers.stop, _BATCH):
        yield [block(number) for number in range(first, min(first + _BATCH, numbers.stop))]


def read(directory: Path, count: int) -> dict[str, float]:
    """Get blocks in random order from the store, opened anew."""
    source = random.Random(count)
    cids = [block(source.randrange(count)).cid for _ in range(_GOT)]
    _warm(directory)
    start = time.perf_counter()
    with PackStore.open(directory) as store:
        opened = time.perf_counter() - start
        start = time.perf_counter()
        for cid in cids:
            store.get(cid)
        rate = _GOT / (time.perf_counter() - start)
        return {"get": rate, "open": opened, "resident": resident()}


def _warm(directory: Path) -> None:
    for path in directory.rglob("*.*"):
        with path.open("rb", buffering=0) as file:
            while file.read(_PIECE):
                pass


def block(number: int) -> Block:
    """The block of a number; its bytes do not compress and do not repeat."""
    return Block.create(random.Random(number).randbytes(SIZE))


def resident() -> float:
    """MiB of memory that this process has."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(word) for word in sys.argv[2:]])
