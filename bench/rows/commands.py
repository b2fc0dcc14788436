"""Whole commands on a node whose daemon runs, from the start of the process to its end."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import partial

from bench.bench import Bench
from bench.data import raw_cid
from bench.process import ProgramFailed
from bench.programs.repo import Repo
from bench.results import Result, Target
from bench.rows.row import Row

OURS, KUBO = "peershelf", "kubo"
SIZE = 1024
_ROUNDS_PER_REPEAT = 5
_TARGET = Target(1.5, 1, at_most=True)


def commands(bench: Bench) -> Iterator[Result]:
    """`version`, `id`, `add` and `cat` of 1 KiB, one of each program in turns."""
    repos: dict[str, Repo] = {kind: bench.repo(kind) for kind in (OURS, KUBO)}
    for repo in repos.values():
        repo.start()
        repo.rpc("/api/v0/id")  # what a daemon does once, it has done by now
    source = random.Random(SIZE)
    kinds: tuple[tuple[str, Callable[[Bench, Repo, random.Random], float]], ...] = (
        ("version", partial(_plain, "version")),
        ("id", partial(_plain, "id")),
        ("add 1 KiB", _add),
        ("cat 1 KiB", _cat),
    )
    for words, run in kinds:

        def timed(repo: Repo, run: Callable[[Bench, Repo, random.Random], float] = run) -> dict[str, float]:
            return {"ms": run(bench, repo, source) * 1e3}

        rounds = bench.options.repeats * _ROUNDS_PER_REPEAT
        measured = bench.take_turns({kind: partial(timed, repo) for kind, repo in repos.items()}, rounds)
        series = measured.series(OURS, "ms"), measured.series(KUBO, "ms")
        yield Result("commands", f"`{words}`, whole command with a daemon", "ms", *series, _TARGET)


def _plain(words: str, bench: Bench, repo: Repo, source: random.Random) -> float:
    done = repo.run(words)
    if not done.text:
        raise ProgramFailed(f"`{words}` printed nothing")
    return done.seconds


def _add(bench: Bench, repo: Repo, source: random.Random) -> float:
    content = source.randbytes(SIZE)
    path = bench.fresh_path("small")
    path.write_bytes(content)
    done = repo.run("add", "-Q", path)
    if done.text != raw_cid(content):
        raise ProgramFailed(f"`add` printed {done.text[:80]}, not the CID of the file")
    return done.seconds


def _cat(bench: Bench, repo: Repo, source: random.Random) -> float:
    content = source.randbytes(SIZE)
    repo.put_block(content)
    done = repo.run("cat", raw_cid(content))
    if done.output != content:
        raise ProgramFailed("`cat` printed other bytes than were stored")
    return done.seconds


ROWS = (Row("commands", "version, id, add and cat of 1 KiB with a daemon", commands),)
