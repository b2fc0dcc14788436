"""Files out of a repo that has them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from bench.bench import MIB, Bench
from bench.programs.repo import Repo
from bench.results import Result, Target
from bench.rows.row import Row

OURS, KUBO = "peershelf", "kubo"


def cat_local(bench: Bench) -> Iterator[Result]:
    """One file, without a daemon and then through it; ours hashes every byte that it reads."""
    size = bench.size(1024, 32)
    source = bench.file(size)
    repos: dict[str, Repo] = {kind: bench.repo(kind) for kind in (OURS, KUBO)}
    cids = {kind: repo.add(source.path) for kind, repo in repos.items()}

    def cat(kind: str) -> dict[str, float]:
        with bench.sink.expecting(size, source.sha256) as output:
            done = repos[kind].run("cat", cids[kind], output=output)
        return {"MB/s": size / 1e6 / done.seconds}

    for how, target in (("no daemon", Target(0.5, 1)), ("daemon", Target(2, 3))):
        if how == "daemon":
            for repo in repos.values():
                repo.start()
        measured = bench.take_turns({kind: partial(cat, kind) for kind in repos})
        series = measured.series(OURS, "MB/s"), measured.series(KUBO, "MB/s")
        yield Result("cat", f"cat {size // MIB} MiB local, {how}", "MB/s", *series, target)


ROWS = (Row("cat", "cat one file that is here, every byte hashed by us", cat_local, space=4),)
