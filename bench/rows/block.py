"""One block from a connected peer: the time of a single request through the API."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Iterator
from functools import partial

from bench.bench import Bench
from bench.data import raw_cid
from bench.process import ProgramFailed
from bench.programs.repo import Repo
from bench.results import Result, Target
from bench.rows.row import Row

OURS, KUBO = "peershelf", "kubo"
SIZE = 4096


def one_block(bench: Bench) -> Iterator[Result]:
    """`block/get` of blocks that the node does not have, one after another over one open connection."""
    source = random.Random(SIZE)
    pairs = {kind: _connected_pair(bench, kind) for kind in (OURS, KUBO)}
    count = bench.count(200, 20)
    measured = bench.take_turns(
        {kind: partial(_ask, *pair, source, count) for kind, pair in pairs.items()},
    )
    for figure, target in (("p50", Target(0.1, 0.05, at_most=True)), ("p99", None)):
        series = measured.series(OURS, figure), measured.series(KUBO, figure)
        yield Result("block", f"a block of 4 KiB from a peer, by the API, {figure}", "ms", *series, target)


def _connected_pair(bench: Bench, kind: str) -> tuple[Repo, Repo]:
    provider, fetcher = bench.repo(kind), bench.repo(kind)
    provider.start()
    fetcher.start()
    fetcher.connect(provider)
    return provider, fetcher


def _ask(provider: Repo, fetcher: Repo, source: random.Random, count: int) -> dict[str, float]:
    contents = [source.randbytes(SIZE) for _ in range(count)]
    for content in contents:
        provider.put_block(content)
    times = []
    for content in contents:
        call = f"/api/v0/block/get?arg={raw_cid(content)}"
        start = time.perf_counter()
        got = fetcher.rpc(call)
        times.append((time.perf_counter() - start) * 1e3)
        if got != content:
            raise ProgramFailed("another block came than was asked for")
    return {"p50": statistics.median(times), "p99": statistics.quantiles(times, n=100)[-1]}


ROWS = (Row("block", "one block of 4 KiB from a connected peer, through the API", one_block),)
