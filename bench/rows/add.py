"""Files into a repo: one large file, and many small ones."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from bench.bench import MIB, Bench
from bench.data import Tree
from bench.process import ProgramFailed
from bench.results import Result, Target
from bench.rows.row import Row
from bench.rows.seeding import add_in_library, can_add_directories

OURS, KUBO = "peershelf", "kubo"


def add_file(bench: Bench) -> Iterator[Result]:
    """One file into a fresh repo, without a daemon."""
    yield from _add(bench, "add", daemon=False, target=Target(1, 1.5))


def add_file_through_daemon(bench: Bench) -> Iterator[Result]:
    """One file into a fresh repo, through the daemon."""
    yield from _add(bench, "add-daemon", daemon=True, target=Target(2, 3))


def _add(bench: Bench, row: str, *, daemon: bool, target: Target) -> Iterator[Result]:
    size = bench.size(1024, 32)
    path = bench.file(size).path
    cids: set[str] = set()

    def add(kind: str) -> dict[str, float]:
        repo = bench.repo(kind)
        if daemon:
            repo.start()
            repo.running.reset_peak()
        done = repo.run("add", "-Q", path)
        peak = repo.running.peak() if daemon else done.peak / MIB
        cids.add(done.text)
        repo.remove()
        if len(cids) > 1:
            raise ProgramFailed(f"the same file has several CIDs: {', '.join(sorted(cids))}")
        return {"MB/s": size / 1e6 / done.seconds, "peak MiB": peak}

    measured = bench.take_turns({kind: partial(add, kind) for kind in (OURS, KUBO)})
    how = "through the daemon" if daemon else "no daemon, durable"
    work = f"add {size // MIB} MiB, {how}"
    for figure, unit, goal in (("MB/s", "MB/s", target), ("peak MiB", "MiB", None)):
        shown = work if goal else f"… peak RSS of {'the daemon' if daemon else 'the command'}"
        ours, kubo = measured.series(OURS, figure), measured.series(KUBO, figure)
        yield Result(row, shown, unit, ours, kubo, goal)


def add_tree(bench: Bench) -> Iterator[Result]:
    """Many small files, without a daemon."""
    tree = bench.tree(bench.count(10_000, 500), 4096)
    by_command = can_add_directories(bench.ours())

    def kubo() -> dict[str, float]:
        return _add_recursively(bench, KUBO, tree)

    def ours() -> dict[str, float]:
        return _add_recursively(bench, OURS, tree) if by_command else _add_in_library(bench, tree)

    measured = bench.take_turns({OURS: ours, KUBO: kubo})
    work = f"add {len(tree.files):,} × 4 KiB{'' if by_command else ' (library, without directories)'}"
    series = measured.series(OURS, "files/s"), measured.series(KUBO, "files/s")
    yield Result("add-files", work, "files/s", *series, Target(2, 4))


def _add_recursively(bench: Bench, kind: str, tree: Tree) -> dict[str, float]:
    repo = bench.repo(kind)
    done = repo.run("add", "-r", "-q", tree.path)
    if missing := set(tree.cids) - set(done.text.split()):
        raise ProgramFailed(f"{len(missing)} files have another CID than expected")
    repo.remove()
    return {"files/s": len(tree.files) / done.seconds}


def _add_in_library(bench: Bench, tree: Tree) -> dict[str, float]:
    repo = bench.ours()
    seconds = add_in_library(bench, repo, tree)
    repo.remove()
    return {"files/s": len(tree.files) / seconds}


ROWS = (
    Row("add", "add one file, no daemon", add_file, space=4),
    Row("add-daemon", "add one file through the daemon", add_file_through_daemon, space=4),
    Row("add-files", "add many small files, no daemon", add_tree),
)
