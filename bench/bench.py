"""What a row works with: options, inputs, fresh repos, and rounds in which the contenders take turns."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from bench import data
from bench.process import Background, Finished, clean_environment, run_command
from bench.programs.kubo import KuboRepo
from bench.programs.ours import OurRepo
from bench.results import Measured
from bench.sink import Sink

ROOT = Path(__file__).resolve().parents[1]
MIB = 1 << 20
_WORTH_TELLING = 0.3
"""Seconds that a run takes at least to be shown as progress."""
RepoT = TypeVar("RepoT", OurRepo, KuboRepo)


@dataclass(frozen=True, slots=True)
class Options:
    """How the whole run is done.

    Args:
        work: an empty directory for everything that is written.
        repeats: rounds of each row; of rows with many short samples a multiple.
        quick: small sizes, to see that the harness works; the figures mean nothing.
        kubo_security: the secure channels that Kubo offers.
    """

    work: Path
    repeats: int = 3
    quick: bool = False
    kubo_security: Sequence[str] = ("tls", "noise")


@dataclass(slots=True)
class Bench:
    """One run of the bench."""

    options: Options
    sink: Sink
    log: list[dict[str, Any]] = field(default_factory=list)
    """Every sample in the order in which it was taken, also those of rows that failed half-way."""
    interrupted: bool = False
    """Whether somebody pressed Ctrl-C in a round: the row shows what it has, and nothing new begins."""
    facts: dict[str, str] = field(default_factory=dict)
    """What the rows have found out about the programs: the secure channel of each pairing."""
    _files: dict[int, data.DataFile] = field(default_factory=dict)
    _trees: dict[tuple[int, int], data.Tree] = field(default_factory=dict)
    _open: ExitStack = field(default_factory=ExitStack)
    _row: str = ""
    _made: int = 0

    @contextmanager
    def row(self, name: str) -> Iterator[None]:
        """While a row runs: whatever repos and processes it made are gone at the end."""
        self._row = name
        try:
            with ExitStack() as self._open:
                yield
        finally:
            shutil.rmtree(self.options.work / "row", ignore_errors=True)

    def say(self, text: str) -> None:
        """Show progress on standard error."""
        print(f"[{time.strftime('%H:%M:%S')}] {self._row}: {text}", file=sys.stderr, flush=True)

    # Sizes and inputs

    def size(self, mib: int, quick: int) -> int:
        """Bytes of a size that is given in MiB, for a full and for a quick run."""
        return (quick if self.options.quick else mib) * MIB

    def count(self, full: int, quick: int) -> int:
        """The same for things that are counted."""
        return quick if self.options.quick else full

    def file(self, size: int) -> data.DataFile:
        """An input file, made when it is first asked for."""
        if size not in self._files:
            self.say(f"writing an input file of {size // MIB} MiB")
            self._files[size] = data.data_file(self.directory("data"), size)
        return self._files[size]

    def tree(self, count: int, size: int) -> data.Tree:
        """An input directory, made when it is first asked for."""
        if (count, size) not in self._trees:
            self.say(f"writing {count:,} input files of {size} bytes")
            self._trees[count, size] = data.tree(self.directory("data"), count, size)
        return self._trees[count, size]

    def directory(self, name: str) -> Path:
        """A directory that stays for the whole run."""
        path = self.options.work / name
        path.mkdir(exist_ok=True)
        return path

    # Programs

    def ours(self) -> OurRepo:
        """A fresh repo of peershelf."""
        return self._kept(OurRepo(self.fresh_path("peershelf")))

    def kubo(self) -> KuboRepo:
        """A fresh repo of Kubo."""
        return self._kept(KuboRepo(self.fresh_path("kubo"), self.options.kubo_security))

    def repo(self, kind: str) -> OurRepo | KuboRepo:
        """A fresh repo of the program of that name."""
        return self.ours() if kind == OurRepo.name else self.kubo()

    def worker(self, module: str, *arguments: str | Path) -> Background:
        """Start a program of bench/workers; it ends with the row."""
        path = self.fresh_path(module)
        path.mkdir()
        worker = Background(worker_command(module, *arguments), clean_environment(), path / "log", cwd=ROOT)
        self._open.callback(worker.stop)
        return worker

    def run_worker(self, module: str, *arguments: str | Path) -> Finished:
        """Run such a program to its end."""
        return run_command(worker_command(module, *arguments), clean_environment(), cwd=ROOT)

    def fresh_path(self, name: str) -> Path:
        """A path that nothing has been at; what is put there is removed after the row.

        Every repo and process begins with one: raises KeyboardInterrupt once the run was interrupted.
        """
        if self.interrupted:
            raise KeyboardInterrupt
        self._made += 1
        folder = self.options.work / "row"
        folder.mkdir(exist_ok=True)
        return folder / f"{name}-{self._made}"

    def _kept(self, repo: RepoT) -> RepoT:
        self._open.callback(repo.remove)
        return repo

    # Rounds

    def take_turns(
        self, contenders: Mapping[str, Callable[[], Mapping[str, float]]], rounds: int | None = None
    ) -> Measured:
        """Let each contender run once a round, another one first in each, the disk synced before each.

        A contender that raises is out; the others go on. Ctrl-C ends the rounds; what was measured counts.
        """
        if self.interrupted:
            raise KeyboardInterrupt
        measured = Measured()
        names = list(contenders)
        try:
            for number in range(rounds or self.options.repeats):
                first = number % len(names)
                for name in (*names[first:], *names[:first]):
                    if name not in measured.errors:
                        self._take_turn(measured, name, contenders[name], number)
        except KeyboardInterrupt:
            self.interrupted = True
        return measured

    def _take_turn(
        self, measured: Measured, name: str, run: Callable[[], Mapping[str, float]], number: int
    ) -> None:
        os.sync()
        start = time.monotonic()
        try:
            figures = dict(run())
        except Exception as error:
            measured.errors[name] = one_line(error)
            self.say(f"round {number + 1}, {name}: FAIL: {one_line(error)}")
            return
        measured.figures.setdefault(name, []).append(figures)
        self.log.append({"row": self._row, "contender": name, "round": number + 1, **figures})
        if time.monotonic() - start > _WORTH_TELLING:
            shown = ", ".join(f"{key} {value:.4g}" for key, value in figures.items())
            self.say(f"round {number + 1}, {name}: {shown}")


def worker_command(module: str, *arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", f"bench.workers.{module}", *map(str, arguments)]


def one_line(error: BaseException) -> str:
    """What went wrong, short enough for the table."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text[:300]
