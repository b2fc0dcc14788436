"""The daemon as a user runs it, and commands that find it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
Launch = Callable[..., subprocess.Popen[bytes]]


class Daemon:
    """A daemon that is ready."""

    def __init__(self, process: subprocess.Popen[bytes], lines: list[str]) -> None:
        self.process = process
        self.lines = lines

    @property
    def address(self) -> str:
        return self.lines[0].removeprefix("Listening on ")

    def end(self) -> tuple[int, str]:
        """Wait for its end: exit code and log."""
        _, log = self.process.communicate(timeout=30)
        return self.process.returncode, log.decode()


@contextmanager
def running(launch: Launch, repo: Path, *words: str) -> Iterator[Daemon]:
    process = launch(["daemon", *words, "--repo", repo], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    lines: list[str] = []
    try:
        while line := process.stdout.readline().decode():
            lines.append(line.rstrip("\n"))
            if lines[-1] == "Daemon is ready" or "--json" in words:
                break
        yield Daemon(process, lines)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def ready(launch: Launch, run: Run, repo: Path) -> Iterator[Daemon]:
    """A daemon on the repo that `run` uses."""
    run("init", "--profile", "test")
    with running(launch, repo) as daemon:
        yield daemon


def test_a_daemon_says_where_it_is_and_commands_find_it(ready: Daemon, run: Run, repo: Path) -> None:
    assert ready.lines[-2:] == [
        f"API server listening on {(repo / 'api').read_text().strip()}",
        "Daemon is ready",
    ]
    assert json.loads(run("id", "--json").out)["Addresses"] == [ready.address]
    cid = run("add", "-q", "-", input=b"hello").out.strip()
    assert run("cat", cid).out == "hello"
    assert run("swarm", "peers").out == ""
    assert run("bitswap", "wantlist").code == 0


def test_a_second_daemon_is_refused_and_the_first_unharmed(ready: Daemon, run: Run) -> None:
    second = run("daemon")
    assert (second.code, second.out) == (1, "")
    assert f"in use by process {ready.process.pid}" in second.err
    assert second.err.count("\n") == 1
    assert run("id").code == 0


def test_shutdown_returns_when_the_repo_is_free(ready: Daemon, run: Run, repo: Path) -> None:
    assert run("shutdown").code == 0
    assert run("shutdown").code == 1
    assert ready.end()[0] == 0
    assert not (repo / "api").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_daemon_cleanly(ready: Daemon, repo: Path, number: int) -> None:
    ready.process.send_signal(number)
    code, log = ready.end()
    assert code == 0
    assert "Traceback" not in log
    assert not (repo / "api").exists()


def test_what_an_ending_daemon_breaks_off_fails(ready: Daemon, launch: Launch, run: Run, repo: Path) -> None:
    """`cat` and `add` ended as if all was done, with a part of the file or without a CID."""
    absent = "bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq"
    command = launch(["cat", absent, "--repo", repo], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while absent not in run("bitswap", "wantlist").out:
        assert command.poll() is None
    ready.process.send_signal(signal.SIGTERM)
    _, said = command.communicate(timeout=30)
    assert (command.returncode, said.count(b"\n")) == (1, 1)
    assert b"the node is ending" in said
    assert "Traceback" not in ready.end()[1]


def test_after_a_crash_the_lock_and_the_api_file_hinder_nobody(ready: Daemon, run: Run, repo: Path) -> None:
    cid = run("add", "-q", "-", input=b"hello").out.strip()
    ready.process.kill()
    ready.process.wait(30)
    assert (repo / "api").exists()
    assert run("cat", cid).out == "hello"


def test_logs_and_the_first_line_can_be_json(launch: Launch, run: Run, repo: Path) -> None:
    run("init", "--profile", "test")
    with running(launch, repo, "--json", "--log-format", "json", "--log-level", "info") as daemon:
        assert set(json.loads(daemon.lines[0])) == {"ID", "Addresses", "API"}
        assert run("shutdown").code == 0
        code, log = daemon.end()
    assert code == 0
    assert [json.loads(line)["event"] for line in log.splitlines()][-1] == "ending"


def test_a_file_is_fetched_from_a_peer_without_a_daemon(
    ready: Daemon, run: Run, launch: Launch, tmp_path: Path
) -> None:
    content = os.urandom(3 << 20)
    cid = run("add", "-q", "-", input=content).out.strip()
    words = ["cat", "--peer", ready.address, cid, "--repo", tmp_path / "other"]
    process = launch(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")
    assert out == content


def test_a_file_that_the_peer_lacks_names_who_was_asked(
    ready: Daemon, run: Run, launch: Launch, tmp_path: Path
) -> None:
    nobodys = "bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq"
    words = ["cat", "--timeout", "1s", "--peer", ready.address, nobodys, "--repo", tmp_path / "other"]
    process = launch(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, b"")
    assert ready.address.rpartition("/")[2] in err.decode()
    assert err.count(b"\n") == 1
