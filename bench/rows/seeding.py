"""Repos that have a directory of small files, for rows that fetch them."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from bench.bench import Bench
from bench.data import Tree
from bench.process import ProgramFailed
from bench.programs.kubo import KuboRepo
from bench.programs.ours import OurRepo

RepoT = TypeVar("RepoT", OurRepo, KuboRepo)


def seeded(bench: Bench, repo: RepoT, tree: Tree) -> tuple[RepoT, str | None]:
    """Put the files into a repo and run its daemon.

    Returns the directory's CID too; None where the program adds no directories and only the files are there.
    """
    root = None
    if can_add_directories(repo):
        root = repo.add("-r", tree.path)
    else:
        add_in_library(bench, repo, tree)
    repo.start()
    return repo, root


def can_add_directories(repo: OurRepo | KuboRepo) -> bool:
    """Whether the program's `add` knows -r."""
    return repo.can("add", "--recursive")


def add_in_library(bench: Bench, repo: OurRepo | KuboRepo, tree: Tree) -> float:
    """Add the files to our repo in a process of its own; return the seconds that it took."""
    done = bench.run_worker("add_many", repo.path, write_list(bench, tree.files))
    if done.text.split() != list(tree.cids):
        raise ProgramFailed("the files have other CIDs than expected")
    return done.seconds


def write_list(bench: Bench, lines: tuple[Path, ...] | tuple[str, ...]) -> Path:
    """Write one line for each, for a worker to read."""
    path = bench.fresh_path("list")
    path.write_text("".join(f"{line}\n" for line in lines))
    return path
