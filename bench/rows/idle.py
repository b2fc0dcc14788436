"""What a daemon costs its owner while nobody uses it: a client of a DHT, connected, with nothing to do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from bench.bench import Bench, worker_command
from bench.process import ProgramFailed, clean_environment, run_command
from bench.programs.kubo import KuboRepo
from bench.programs.ours import OurRepo
from bench.results import Result, Target
from bench.rows.row import Row

OURS, KUBO = "peershelf", "kubo"
_SERVERS = 40
_FEWER = Target(1, at_most=True)
_NAMESPACES = (["unshare", "--user", "--map-root-user", "--net"], ["unshare", "--net"])


def idle(bench: Bench) -> Iterator[Result]:
    """Both daemons at once, in one network, each behind an interface that counts."""
    seconds = 30 if bench.options.quick else 600
    ours, kubo = bench.ours(), bench.kubo()
    as_our_client(ours)
    as_kubos_client(kubo)
    directory = bench.fresh_path("idle")
    directory.mkdir()
    repos = [f"{repo.name} {repo.path} {repo.program}" for repo in (ours, kubo)]

    def watch() -> dict[str, float]:
        worker = worker_command("idle", directory, str(_SERVERS), str(seconds), *repos)
        command = [*namespace(), *worker]
        done = run_command(command, clean_environment(), cwd=Path(__file__).resolve().parents[2])
        return {
            f"{name} {figure}": value
            for name, figures in json.loads(done.text).items()
            for figure, value in figures.items()
        }

    measured = bench.take_turns({"both": watch}, rounds=1)
    for figure, unit in (("KB", "KB"), ("connections", "on average"), ("CPU", "s")):
        mine, theirs = (measured.series("both", f"{name} {figure}", name) for name in (OURS, KUBO))
        work = f"{seconds} s idle in a DHT of {_SERVERS}: {figure}"
        yield Result("idle", work, unit, mine, theirs, _FEWER)


def as_our_client(repo: OurRepo) -> None:
    """Have it take part, and listen where others could reach it."""
    repo.set("Routing.Type", "dhtclient")
    repo.set("Addresses.Swarm", '["/ip4/0.0.0.0/tcp/0"]')


def as_kubos_client(repo: KuboRepo) -> None:
    """The same."""
    path = repo.path / "config"
    config = json.loads(path.read_text())
    config["Routing"] = {"Type": "dhtclient", "DelegatedRouters": []}
    config["Addresses"]["Swarm"] = ["/ip4/0.0.0.0/tcp/0"]
    path.write_text(json.dumps(config))


def namespace() -> list[str]:
    """How to run something in a network of its own. Raises ProgramFailed."""
    for way in _NAMESPACES:
        try:
            run_command([*way, "ip", "link"], clean_environment())
        except (ProgramFailed, FileNotFoundError):
            continue
        return way
    raise ProgramFailed("no network namespace to be had (needs Linux, util-linux and iproute2)")


ROWS = (Row("idle", "ten minutes of a DHT client that has nothing to do", idle),)
