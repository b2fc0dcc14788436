"""Stores of very many blocks: what is asked of them, collecting garbage, and rebuilding the index."""

from __future__ import annotations

import json
from collections.abc import Iterator

from bench.bench import Bench
from bench.results import Result, Target
from bench.rows.row import Row

OURS = "peershelf"
_TWO_SECONDS = Target(2, at_most=True, absolute=True)
_ADDED = 400
"""MB that are added beside a collection."""


def many_blocks(bench: Bench) -> Iterator[Result]:
    """Whole commands, without a daemon, on a repo with a million pinned blocks."""
    count = bench.count(1_000_000, 20_000)
    repo = bench.ours()
    bench.run_worker("garbage", "fill", repo.path, str(count))
    commands = {
        "pin ls": ("pin", "ls", "-q"),
        "repo stat": ("repo", "stat"),
        "repo gc with nothing to do": ("repo", "gc", "--silent"),
    }
    measured = bench.take_turns(
        {OURS: lambda: {name: repo.run(*words).seconds for name, words in commands.items()}}
    )
    repo.remove()
    for name in commands:
        yield Result(
            "million", f"{name}, {count:,} blocks", "s", measured.series(OURS, name), target=_TWO_SECONDS
        )


def collection(bench: Bench) -> Iterator[Result]:
    """Half of a million blocks go, while a file is added at 50 MB/s."""
    half = bench.count(500_000, 10_000)

    def collect() -> dict[str, float]:
        repo = bench.ours()
        bench.run_worker("garbage", "fill", repo.path, str(half))
        bench.run_worker("garbage", "garbage", repo.path, str(half))
        done = bench.run_worker("garbage", "beside", repo.path, str(bench.count(_ADDED, 20)))
        repo.remove()
        figures: dict[str, float] = json.loads(done.text)
        return figures

    measured = bench.take_turns({OURS: collect})
    series = measured.series(OURS, "beside"), measured.series(OURS, "alone", "without")
    yield Result(
        "collection", f"add at 50 MB/s beside a gc of {half:,} of {2 * half:,}", "MB/s", *series, Target(0.8)
    )
    yield Result("collection", "… seconds of the gc", "s", measured.series(OURS, "collected"))
    yield Result("collection", "… longest wait of a task in trio's loop", "s", measured.series(OURS, "pause"))


def rebuild(bench: Bench) -> Iterator[Result]:
    """Open a store whose index was lost."""
    count = bench.count(100_000, 5_000)

    def lose() -> dict[str, float]:
        repo = bench.ours()
        bench.run_worker("garbage", "fill", repo.path, str(count))
        figures: dict[str, float] = json.loads(bench.run_worker("garbage", "rebuild", repo.path).text)
        repo.remove()
        return figures

    measured = bench.take_turns({OURS: lose})
    target = Target(5, at_most=True, absolute=True)
    yield Result(
        "rebuild", f"index of {count:,} blocks rebuilt", "s", measured.series(OURS, "seconds"), target=target
    )


ROWS = (
    Row("million", "pin ls, repo stat and repo gc with a million blocks", many_blocks, space=2),
    Row("collection", "a gc of half a million blocks beside an add", collection, space=4),
    Row("rebuild", "a lost index of 100,000 blocks", rebuild),
)
