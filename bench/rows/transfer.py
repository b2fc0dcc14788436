"""One file from one node to another, over TCP: us and Kubo in all four pairings, and libtorrent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from bench.bench import MIB, Bench
from bench.data import DataFile
from bench.programs.repo import Repo
from bench.programs.torrent import TorrentPair
from bench.results import Measured, Result, Target
from bench.rows.row import Row

OURS, KUBO, TORRENT = "peershelf", "kubo", "libtorrent"
US_TO_US, KUBO_TO_KUBO = "us → us", "Kubo → Kubo"
KUBO_TO_US, US_TO_KUBO = "Kubo → us", "us → Kubo"
PAIRS = {
    US_TO_US: (OURS, OURS),
    KUBO_TO_US: (KUBO, OURS),
    US_TO_KUBO: (OURS, KUBO),
    KUBO_TO_KUBO: (KUBO, KUBO),
}


@dataclass(frozen=True, slots=True)
class Provider:
    """A daemon that has the file."""

    repo: Repo
    cid: str

    @classmethod
    def start(cls, bench: Bench, repo: Repo, source: DataFile) -> Provider:
        """Add the file and run the daemon."""
        bench.say(f"adding the file to {repo.name}")
        cid = repo.add(source.path)
        repo.start()
        return cls(repo, cid)


def fetch(
    bench: Bench,
    provider: Provider,
    kind: str,
    source: DataFile,
    prepare: Callable[[Repo], None] = lambda fetcher: None,
) -> dict[str, float]:
    """`cat` of the file on a fresh node that is connected to the provider, and prepared before that."""
    fetcher = bench.repo(kind)
    fetcher.start()
    prepare(fetcher)
    fetcher.connect(provider.repo)
    sides = {"from": provider.repo.running, "to": fetcher.running}
    for side in sides.values():
        side.reset_peak()
    before = {name: side.cpu() for name, side in sides.items()}
    with bench.sink.expecting(source.size, source.sha256) as output:
        done = fetcher.run("cat", provider.cid, output=output)
    megabytes = source.size / 1e6
    figures = {"MB/s": megabytes / done.seconds}
    for name, side in sides.items():
        figures[f"MB/CPU-s {name}"] = megabytes / max(side.cpu() - before[name], 0.01)
        figures[f"peak MiB {name}"] = side.peak()
    negotiated = ", ".join(fetcher.securities())
    bench.say(f"{provider.repo.name} → {kind} over {negotiated}")
    bench.facts[f"{provider.repo.name} → {kind}"] = negotiated
    fetcher.remove()
    return figures


def transfer(bench: Bench) -> Iterator[Result]:
    """All pairings and libtorrent, in turns."""
    size = bench.size(1024, 32)
    source = bench.file(size)
    providers = {kind: Provider.start(bench, bench.repo(kind), source) for kind in (OURS, KUBO)}
    contenders = {
        pair: partial(fetch, bench, providers[giver], taker, source) for pair, (giver, taker) in PAIRS.items()
    }
    torrent = TorrentPair(bench, source)
    measured = bench.take_turns({**contenders, TORRENT: torrent.fetch})
    yield from _speeds(bench, measured, f"{size // MIB} MiB")
    yield from _efforts(measured)


def _speeds(bench: Bench, measured: Measured, size: str) -> Iterator[Result]:
    goals = (
        (US_TO_US, KUBO_TO_KUBO, Target(2.5, 5)),
        (KUBO_TO_US, KUBO_TO_KUBO, Target(1.3, 2)),
        (US_TO_KUBO, KUBO_TO_KUBO, Target(1, 1.2)),
        (US_TO_US, TORRENT, Target(1.2)),
    )
    for pair, against, target in goals:
        series = measured.series(pair, "MB/s"), measured.series(against, "MB/s")
        yield Result("transfer", f"{size} {pair}", "MB/s", *series, target, _note(bench, pair, against))


def _note(bench: Bench, pair: str, against: str) -> str:
    shown = [pair] if against == TORRENT else [pair, against]
    keys = {name: " → ".join(PAIRS[name]) for name in dict.fromkeys(shown)}
    parts = [f"{name}: {bench.facts.get(key, 'unknown')}" for name, key in keys.items()]
    return f"negotiated {'; '.join(parts)}"


def _efforts(measured: Measured) -> Iterator[Result]:
    for side, who in (("from", "provider"), ("to", "fetcher")):
        for figure, unit, target in (
            ("peak MiB", "MiB", Target(220, 150, at_most=True, absolute=True)),
            ("MB/CPU-s", "MB/CPU-s", None),
        ):
            key = f"{figure} {side}"
            series = measured.series(US_TO_US, key), measured.series(KUBO_TO_KUBO, key)
            what = "peak RSS of" if unit == "MiB" else "MB per CPU second of"
            yield Result("transfer", f"… us → us, {what} the {who}'s daemon", unit, *series, target)


ROWS = (Row("transfer", "one file between two nodes, and by libtorrent", transfer, space=9),)
