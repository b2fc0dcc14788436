"""The program as its users run it: real processes on real repos, for tests and interop alike."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from peershelf.node import repo

PROGRAM = str(Path(sys.executable).with_name("peershelf"))


class Shelf:
    """One repo, and the program run on it; a daemon may be started through another `program`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PEERSHELF_")},
            "PEERSHELF_PATH": str(path),
            "LC_ALL": "C.UTF-8",
        }
        self.program = [PROGRAM]
        self.daemon: subprocess.Popen[str] | None = None
        self.addresses: list[str] = []
        self.api = self.routing = ""

    def run(self, *words: str | Path, **options: Any) -> subprocess.CompletedProcess[bytes]:
        """Run one command to its end, whatever that is."""
        options.setdefault("timeout", 60)
        return subprocess.run(
            [PROGRAM, *map(str, words)], env=self.environment, capture_output=True, check=False, **options
        )

    def __call__(self, *words: str | Path, **options: Any) -> bytes:
        """Run one command that must succeed, and return its output."""
        done = self.run(*words, **options)
        assert done.returncode == 0, f"{words}: exit {done.returncode}, {done.stderr.decode()}"
        return done.stdout

    def text(self, *words: str | Path, **options: Any) -> str:
        """As a call, the output as text without its last line end."""
        return self(*words, **options).decode().rstrip("\n")

    def fails(self, *words: str | Path, **options: Any) -> str:
        """Run one command that must fail with one line, and return that line; with -v there are more."""
        done = self.run(*words, **options)
        error = done.stderr.decode()
        assert done.returncode == 1, f"{words}: exit {done.returncode}, {done.stdout!r}, {error}"
        assert error.count("\n") == 1 or "-v" in words, error
        assert "Traceback" not in error
        return error.rstrip("\n")

    def start(self, *words: str | Path, **options: Any) -> subprocess.Popen[bytes]:
        """Start a command without waiting for its end."""
        return subprocess.Popen([PROGRAM, *map(str, words)], env=self.environment, **options)

    @contextmanager
    def running(self, *options: str) -> Iterator[Shelf]:
        """A daemon on this repo, from ready to a clean end."""
        with (self.path.parent / f"{self.path.name}.log").open("ab") as log:
            self.daemon = subprocess.Popen(
                [*self.program, "--json", "daemon", *options],
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        try:
            assert self.daemon.stdout is not None
            line = self.daemon.stdout.readline()
            assert line, (self.path.parent / f"{self.path.name}.log").read_text()
            ready = json.loads(line)
            self.addresses, self.api = ready["Addresses"], ready["API"]
            self.routing = ready.get("Routing", "")
            yield self
        finally:
            self.stop()

    def stop(self) -> None:
        """End the daemon as Ctrl-C does; it must end by itself."""
        daemon, self.daemon = self.daemon, None
        if daemon is None:
            return
        with daemon:
            if daemon.poll() is None:
                daemon.send_signal(signal.SIGINT)
            try:
                code = daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                pytest.fail("the daemon did not end")
        assert code in (0, -signal.SIGKILL), f"the daemon ended with {code}"

    def kill(self) -> None:
        """End the daemon as a power switch does."""
        assert self.daemon is not None
        self.daemon.kill()
        self.daemon.wait()


NewShelf = Callable[[], Shelf]


@pytest.fixture(scope="session")
def shelf_at() -> Callable[[Path], Shelf]:
    """Makes a fresh repo with the profile `test` at a path.

    As `init` does, but without a process: for hundreds of repos that would take a minute.
    """

    def make(path: Path) -> Shelf:
        repo.init(path, ("test",))
        return Shelf(path)

    return make


@pytest.fixture
def new_shelf(tmp_path: Path, shelf_at: Callable[[Path], Shelf]) -> NewShelf:
    """Makes fresh repos with the profile `test`."""
    made = 0

    def make() -> Shelf:
        nonlocal made
        made += 1
        return shelf_at(tmp_path / f"shelf-{made}")

    return make


@pytest.fixture
def shelf(new_shelf: NewShelf) -> Shelf:
    """One fresh repo."""
    return new_shelf()


@pytest.fixture
def daemons(new_shelf: NewShelf) -> Iterator[NewShelf]:
    """Makes fresh repos with a running daemon each."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(new_shelf().running())
