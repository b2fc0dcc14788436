"""One file from several providers at once, against one provider."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.bench import MIB, Bench
from bench.data import DataFile
from bench.programs.ours import OurRepo
from bench.results import Measured, Result, Target
from bench.rows.row import Row

CAP = "20MB"


def full_providers(bench: Bench) -> Iterator[Result]:
    """Three providers that each have all of the file, as fast as they can."""
    yield from _compare(bench, "swarm", many=3, cap=None, target=Target(1))


def capped_providers(bench: Bench) -> Iterator[Result]:
    """Four providers that each send 20 MB/s: what the fetcher makes of more sources than one."""
    yield from _compare(bench, "swarm-capped", many=4, cap=CAP, target=Target(3.6))


def _compare(bench: Bench, row: str, *, many: int, cap: str | None, target: Target) -> Iterator[Result]:
    size = bench.size(256, 32)
    source = bench.file(size)
    providers = [_provider(bench, source, cap) for _ in range(many)]
    cid = providers[0][1]
    repos = [repo for repo, _ in providers]
    measured: Measured = bench.take_turns(
        {
            f"{many} providers": lambda: _fetch(bench, repos, cid, source),
            "1 provider": lambda: _fetch(bench, repos[:1], cid, source),
        }
    )
    series = measured.series(f"{many} providers", "MB/s"), measured.series("1 provider", "MB/s")
    limit = f" at {CAP}/s each" if cap else ""
    work = f"{size // MIB} MiB from {many} full providers{limit}"
    yield Result(row, work, "MB/s", *series, target)


def _provider(bench: Bench, source: DataFile, cap: str | None) -> tuple[OurRepo, str]:
    repo = bench.ours()
    if cap is not None:
        repo.set("Swarm.UploadRate", cap)
        repo.set("Swarm.LimitLocal", "true")
    bench.say(f"adding the file to {repo.name}")
    cid = repo.add(source.path)
    repo.start()
    return repo, cid


def _fetch(bench: Bench, providers: Sequence[OurRepo], cid: str, source: DataFile) -> dict[str, float]:
    fetcher = bench.ours()
    fetcher.start()
    fetcher.connect(*providers)
    with bench.sink.expecting(source.size, source.sha256) as output:
        done = fetcher.run("cat", cid, output=output)
    fetcher.remove()
    return {"MB/s": source.size / 1e6 / done.seconds}


ROWS = (
    Row("swarm", "one file from three full providers", full_providers, space=3),
    Row("swarm-capped", "one file from four providers at 20 MB/s each", capped_providers, space=3),
)
