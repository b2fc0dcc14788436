"""How it grows: larger files, and stores of more blocks, at the same rate and in the same memory."""

from __future__ import annotations

import json
from collections.abc import Iterator

from bench.bench import MIB, Bench
from bench.results import Measured, Result, Target
from bench.rows.row import Row
from bench.rows.transfer import OURS, Provider, fetch

SIZES = (64, 256, 1024, 4096)
QUICK_SIZES = (8, 32)
BLOCKS = (10_000, 100_000, 1_000_000)
QUICK_BLOCKS = (1_000, 5_000)
_FLAT_RATE = Target(0.8)
_FLAT_MEMORY = Target(1.25, at_most=True)


def transfers(bench: Bench) -> Iterator[Result]:
    """The same transfer, us to us, of ever larger files; each is held against the smallest."""
    smallest: Measured | None = None
    sizes = QUICK_SIZES if bench.options.quick else SIZES
    for mib in sizes:
        measured = _transfer(bench, mib * MIB)
        first = smallest or measured
        smallest = first
        work, against = f"{mib} MiB us → us", f"{sizes[0]} MiB"
        for figure, what, unit, target in (
            ("MB/s", "", "MB/s", _FLAT_RATE),
            ("peak MiB from", ", peak RSS of the provider", "MiB", _FLAT_MEMORY),
            ("peak MiB to", ", peak RSS of the fetcher", "MiB", _FLAT_MEMORY),
        ):
            ours = measured.series(OURS, figure)
            if measured is first:
                yield Result("growth", work + what, unit, ours)
            else:
                yield Result("growth", work + what, unit, ours, first.series(OURS, figure, against), target)


def _transfer(bench: Bench, size: int) -> Measured:
    source = bench.file(size)
    provider = Provider.start(bench, bench.ours(), source)
    measured = bench.take_turns({OURS: lambda: fetch(bench, provider, OURS, source)})
    provider.repo.remove()
    return measured


def stores(bench: Bench) -> Iterator[Result]:
    """Put into and get from a store of ever more blocks of 1 KiB; each is held against the smallest."""
    counts = QUICK_BLOCKS if bench.options.quick else BLOCKS

    def grow() -> dict[str, float]:
        path = bench.fresh_path("store")
        lines = bench.run_worker("grow_store", path, *map(str, counts)).text.splitlines()
        return {
            f"{figure} {answer['blocks']}": answer[figure]
            for answer in map(json.loads, lines)
            for figure in FIGURES
        }

    measured = bench.take_turns({OURS: grow})
    for count in counts:
        for figure, (what, unit, target) in FIGURES.items():
            ours = measured.series(OURS, f"{figure} {count}")
            against = measured.series(OURS, f"{figure} {counts[0]}", f"{counts[0]:,} blocks")
            if count == counts[0]:
                yield Result("store", f"{what} a store of {count:,} blocks", unit, ours)
            else:
                yield Result("store", f"{what} a store of {count:,} blocks", unit, ours, against, target)


FIGURES = {
    "put": ("put into", "blocks/s", _FLAT_RATE),
    "settled": ("put into and close", "blocks/s", _FLAT_RATE),
    "get": ("get from", "blocks/s", _FLAT_RATE),
    "open": ("open", "s", None),
    "resident": ("RSS of", "MiB", None),
}

ROWS = (
    Row("growth", "one transfer at 64 MiB, 256 MiB, 1 GiB and 4 GiB", transfers, space=16),
    Row("store", "a store of 10,000, 100,000 and 1,000,000 blocks", stores, space=4),
)
