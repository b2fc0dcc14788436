"""What a daemon costs before it does anything."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

from bench.bench import Bench
from bench.results import Result, Target
from bench.rows.row import Row

OURS, KUBO = "peershelf", "kubo"


def daemon(bench: Bench) -> Iterator[Result]:
    """Its start on a fresh repo, and its memory once it has had time to settle."""
    settled_after = 1.0 if bench.options.quick else 5.0

    def start(kind: str) -> dict[str, float]:
        repo = bench.repo(kind)
        ready = repo.start()
        time.sleep(settled_after)
        before = repo.running.cpu()
        time.sleep(settled_after)
        figures = {
            "ready": ready,
            "idle": repo.running.resident(),
            "cpu": (repo.running.cpu() - before) / settled_after * 100,
        }
        repo.remove()
        return figures

    measured = bench.take_turns({kind: partial(start, kind) for kind in (OURS, KUBO)})
    for figure, work, unit, target in (
        ("ready", "daemon, from its start to `Daemon is ready`", "s", _bounds(1.5, 0.8)),
        ("idle", "daemon, idle RSS", "MiB", _bounds(130, 100)),
        ("cpu", "daemon, idle CPU", "% of a core", None),
    ):
        yield Result(
            "daemon", work, unit, measured.series(OURS, figure), measured.series(KUBO, figure), target
        )


def _bounds(reach: float, aim: float) -> Target:
    return Target(reach, aim, at_most=True, absolute=True)


ROWS = (Row("daemon", "start and idle memory of the daemon", daemon),)
