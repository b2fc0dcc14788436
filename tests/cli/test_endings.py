"""How commands end: exit codes, one line on standard error, and nothing else."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

Launch = Callable[..., subprocess.Popen[bytes]]
Run = Callable[..., Any]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["swram"], "unknown command 'swram'; did you mean 'swarm'?"),
        (["swarm", "pers"], "unknown command 'swarm pers'; did you mean 'peers'?"),
        (
            ["config", "Swarm.UploadRate"],
            "unknown command 'config Swarm.UploadRate'; config needs one of show, get, set",
        ),
        (["swarm"], "swarm needs one of connect, disconnect, peers, addrs"),
        (["add", "--pni", "x"], "unknown option '--pni'; did you mean '--pin'?"),
        (["add", "--trickle", "x"], "unknown option '--trickle'; see `peershelf add --help`"),
        (["id", "--all"], "unknown option '--all'; see `peershelf id --help`"),
        (["cat"], "CID[/path] is missing"),
        (["-v", "id"], "short options come after the command"),
        (["\x1b[31m\n"], "\\x1b[31m"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(run: Run, words: list[str], complaint: str) -> None:
    outcome = run(*words)
    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err.startswith("Error: ")
    assert outcome.err.count("\n") == 1
    assert complaint in outcome.err


@pytest.mark.parametrize(
    "words",
    [
        ["swarm", "peers"],
        ["swarm", "connect", "/ip4/192.0.2.7/tcp/1/p2p/x"],
        ["swarm", "disconnect", "x"],
        ["swarm", "addrs"],
        ["ping", "x"],
        ["bitswap", "stat"],
        ["bitswap", "wantlist"],
        ["shutdown"],
    ],
)
def test_what_needs_a_daemon_says_how_to_start_one(run: Run, words: list[str]) -> None:
    outcome = run(*words)
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == "Error: this needs a running daemon: start one with `node daemon`\n"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["add", "x", "--hash", "md5"], "--hash is one of sha2-256"),
        (["add", "x", "--chunker", "rabin"], "size-N is the chunker there is"),
        (["cat", "x", "--offset", "-1"], "whole number"),
        (["id", "--timeout", "5"], "a duration such as 30s"),
        (["id", "--api", "localhost:5001"], "an address such as /ip4/127.0.0.1/tcp/5001"),
        (["add", "absent"], "cannot read absent: No such file or directory"),
        (["add", "/"], "/ is a directory: add -r takes it"),
        (["add", "-", "-"], "only once"),
        (["block", "put", "absent"], "cannot read absent"),
        (["init", "--api", "/ip4/127.0.0.1/tcp/1"], "leave out --api"),
        (["daemon", "--offline"], "leave out --api and --offline"),
        (["id", "--api", "/ip4/127.0.0.1/tcp/1"], "start one with `node daemon`"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_code_1(run: Run, words: list[str], complaint: str) -> None:
    outcome = run(*words)
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith("Error: ")
    assert outcome.err.count("\n") == 1
    assert complaint in outcome.err


def test_a_repo_that_is_in_use_names_its_holder(
    held: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = run("cat", "bafy")
    assert outcome.code == 1
    assert f"the repo {held} is in use by process 4321 (node daemon --init)" in outcome.err


def test_version_needs_neither_repo_nor_lock(held: Path, run: Run) -> None:
    outcome = run("version")
    assert outcome.code == 0
    assert outcome.out.startswith("peershelf version ")


def test_the_usual_option_shows_the_version_too(run: Run) -> None:
    assert run("--version").out == run("version").out
    assert run("--version", "-n").out == run("version", "-n").out


def test_a_daemon_is_found_through_the_repo(held: Path, daemon: Any, api: ModuleType, run: Run) -> None:
    (held / "api").write_text(daemon.address)
    daemon.answers["version"] = api.sized({"Version": "9.9.9"})
    assert run("version").out == "peershelf version 9.9.9\n"
    assert run("version", "--repo", held).out == "peershelf version 9.9.9\n"


@pytest.mark.parametrize("status", [400, 500])
def test_whatever_the_daemon_refuses_is_exit_code_1(
    daemon: Any, api: ModuleType, run: Run, status: int
) -> None:
    daemon.answers["cat"] = api.sized({"Message": "no", "Code": 0, "Type": "error"}, status)
    outcome = run("cat", "x", "--api", daemon.address)
    assert (outcome.code, outcome.err) == (1, "Error: no\n")


def test_an_answer_that_breaks_off_is_a_failure(daemon: Any, api: ModuleType, run: Run) -> None:
    daemon.answers["cat"] = api.Answer(api.head(200, "Transfer-Encoding: chunked") + api.chunk(b"half"))
    outcome = run("cat", "x", "--api", daemon.address)
    assert (outcome.code, outcome.out) == (1, "half")
    assert "incomplete" in outcome.err


def endless(api: ModuleType) -> Any:
    piece = api.chunk(b"x" * 65536)
    return api.Answer(api.head(200, "Transfer-Encoding: chunked") + piece * 400 + b"0\r\n\r\n")


@pytest.mark.parametrize("command", [["cat", "x"], ["refs", "local"]])
def test_a_closed_pipe_ends_quietly(daemon: Any, api: ModuleType, launch: Launch, command: list[str]) -> None:
    daemon.answers["cat"] = endless(api)
    daemon.answers["refs/local"] = api.records(*[{"Ref": "bafy" * 20, "Err": ""}] * 9000)
    process = launch([*command, "--api", daemon.address], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.read(10)
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(20) == 0


@pytest.mark.parametrize("command", [["cat", "x"], ["refs", "local"]])
def test_a_full_disk_behind_standard_output_is_an_error(
    daemon: Any, api: ModuleType, launch: Launch, command: list[str]
) -> None:
    daemon.answers["cat"] = endless(api)
    daemon.answers["refs/local"] = api.records({"Ref": "bafy", "Err": ""})
    with Path("/dev/full").open("wb") as full:
        process = launch([*command, "--api", daemon.address], stdout=full, stderr=subprocess.PIPE)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert err == b"Error: cannot write to standard output: No space left on device\n"


def test_a_closed_standard_output_is_no_reason_to_crash(daemon: Any, api: ModuleType, launch: Launch) -> None:
    daemon.answers["version"] = api.sized({"Version": "0.1.0"})
    process = launch(
        ["version", "--api", daemon.address], stderr=subprocess.PIPE, preexec_fn=lambda: os.close(1)
    )
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, b"")


def test_a_closed_standard_input_is_not_read_from_whatever_has_its_number(
    daemon: Any, api: ModuleType, launch: Launch
) -> None:
    """`add - <&-` waited for ever, for its own connection to the daemon."""
    daemon.answers["add"] = api.records()
    process = launch(
        ["add", "-", "--api", daemon.address], stderr=subprocess.PIPE, preexec_fn=lambda: os.close(0)
    )
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (1, b"Error: cannot read standard input: Bad file descriptor\n")


def test_what_is_piped_in_slowly_is_waited_for_though_the_pipe_would_not(launch: Launch, repo: Path) -> None:
    """A pipe that another program had left non-blocking was added as an empty file."""
    receiver, sender = os.pipe()
    os.set_blocking(receiver, False)
    process = launch(["add", "-Q", "-", "--repo", repo], stdin=receiver, stdout=subprocess.PIPE)
    deadline = time.monotonic() + 20
    while not os.get_blocking(receiver):
        assert process.poll() is None
        assert time.monotonic() < deadline
    os.write(sender, b"hello")
    os.close(sender)
    out, _ = process.communicate(timeout=20)
    os.close(receiver)
    assert out == b"bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq\n"


def test_a_reader_who_is_slow_is_waited_for_though_the_pipe_would_not(
    daemon: Any, api: ModuleType, launch: Launch
) -> None:
    daemon.answers["cat"] = api.chunked([bytes(1 << 20)])
    receiver, sender = os.pipe()
    os.set_blocking(sender, False)
    process = launch(["cat", "bafy", "--api", daemon.address], stdout=sender, stderr=subprocess.PIPE)
    os.close(sender)
    with os.fdopen(receiver, "rb") as file:
        first = file.read(1)
        assert select.select([file], [], [], 20)[0]
        assert len(first + file.read()) == 1 << 20
    assert process.communicate(timeout=20)[1] == b""
    assert process.returncode == 0


def test_ctrl_c_while_an_answer_is_awaited(daemon: Any, api: ModuleType, launch: Launch) -> None:
    never = threading.Event()
    start = api.head(200, "Transfer-Encoding: chunked") + api.chunk(b"first")
    daemon.answers["cat"] = api.Answer(b"", early=start, waits=never)
    process = launch(["cat", "x", "--api", daemon.address], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.read(5) == b"first"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    never.set()
    assert (process.returncode, out, err) == (130, b"", b"")


def test_ctrl_c_during_an_upload(daemon: Any, api: ModuleType, launch: Launch) -> None:
    early = api.head(200, "Transfer-Encoding: chunked") + api.chunk(
        b'{"Name":"x","Hash":"bafy","Size":"1"}\n'
    )
    daemon.answers["add"] = api.Answer(b"", early=early)
    process = launch(
        ["add", "-", "--api", daemon.address],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"added bafy x\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (130, b"", b"")


def test_a_mistake_of_the_program_is_one_line_and_its_traceback_only_on_request(
    daemon: Any, api: ModuleType, run: Run
) -> None:
    daemon.answers["id"] = api.sized({"Unexpected": 1})
    outcome = run("id", "--api", daemon.address)
    assert outcome.code == 1
    assert (
        outcome.err
        == "Error: internal error (KeyError): run it again with -v after the command for details\n"
    )
    assert "Traceback" in run("id", "-v", "--api", daemon.address).err


def test_what_was_printed_before_a_failure_is_not_lost(daemon: Any, api: ModuleType, run: Run) -> None:
    daemon.answers["refs/local"] = api.records({"Ref": "a", "Err": ""}, {"Ref": "", "Err": "damaged"})
    outcome = run("refs", "local", "--api", daemon.address)
    assert (outcome.code, outcome.out, outcome.err) == (1, "a\n", "Error: damaged\n")


def test_a_failure_counts_more_than_an_output_that_nobody_reads(
    daemon: Any, api: ModuleType, launch: Launch
) -> None:
    daemon.answers["refs/local"] = api.records({"Ref": "a", "Err": ""}, {"Ref": "", "Err": "damaged"})
    with Path("/dev/full").open("wb") as full:
        process = launch(["refs", "local", "--api", daemon.address], stdout=full, stderr=subprocess.PIPE)
        _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (1, b"Error: damaged\n")


INTERRUPTED_IMPORT = """
import os, signal, sys
from peershelf.cli.{module} import entry

class Interrupting:
    def find_spec(self, name, *rest):
        if name == "peershelf.{at}":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
sys.argv = ["peershelf", "version"]
entry()
"""


@pytest.mark.parametrize("module", ["start", "shim"])
@pytest.mark.parametrize("at", ["cli.commands", "cli.context", "node.interrupts"])
def test_ctrl_c_while_the_program_is_imported_is_no_traceback(module: str, at: str) -> None:
    code = INTERRUPTED_IMPORT.format(module=module, at=at)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")
