"""CAR files out of a repo and into another."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bench.bench import MIB, Bench
from bench.process import ProgramFailed
from bench.programs.repo import Repo
from bench.results import Result
from bench.rows.row import Row

OURS, KUBO = "peershelf", "kubo"


def archive(bench: Bench) -> Iterator[Result]:
    """Export one file as a CAR, and import that into a fresh repo, without a daemon."""
    size = bench.size(1024, 32)
    source = bench.file(size)
    repos: dict[str, Repo] = {kind: bench.repo(kind) for kind in (OURS, KUBO)}
    cids = {kind: repo.add(source.path) for kind, repo in repos.items()}
    car = bench.fresh_path("car")
    _export(repos[KUBO], cids[KUBO], car)

    def export(kind: str) -> dict[str, float]:
        path = bench.fresh_path("car")
        done = _export(repos[kind], cids[kind], path)
        if path.stat().st_size != car.stat().st_size:
            raise ProgramFailed("the archives differ in size")
        path.unlink()
        return {"MB/s": size / 1e6 / done}

    def load(kind: str) -> dict[str, float]:
        repo = bench.repo(kind)
        done = repo.run("dag", "import", car)
        if cids[KUBO] not in done.text:
            raise ProgramFailed("the root was not pinned")
        repo.remove()
        return {"MB/s": size / 1e6 / done.seconds}

    for what, work in (("export", export), ("import", load)):
        measured = bench.take_turns({kind: partial(work, kind) for kind in repos})
        series = measured.series(OURS, "MB/s"), measured.series(KUBO, "MB/s")
        yield Result("archive", f"dag {what} of {size // MIB} MiB, no daemon", "MB/s", *series)


def _export(repo: Repo, cid: str, path: Path) -> float:
    with path.open("wb") as output:
        return repo.run("dag", "export", "--progress=false", cid, output=output.fileno()).seconds


ROWS = (Row("archive", "a CAR of one file, out and in", archive, space=6),)
