"""Commands without a daemon: they open the repo themselves."""

from __future__ import annotations

import fcntl
import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
Launch = Callable[..., subprocess.Popen[bytes]]

HELLO = "bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq"
"""The CIDv1 of the raw bytes `hello`."""


@pytest.fixture
def hello(tmp_path: Path) -> Path:
    path = tmp_path / "hello.txt"
    path.write_bytes(b"hello")
    return path


def test_what_is_added_can_be_printed_again(run: Run, hello: Path) -> None:
    outcome = run("add", hello)
    assert (outcome.code, outcome.out, outcome.err) == (0, f"added {HELLO} hello.txt\n", "")
    assert run("cat", HELLO).out == "hello"
    assert run("cat", f"/ipfs/{HELLO}", "-o", "1", "-l", "3").out == "ell"
    assert run("refs", "local").out == f"{HELLO}\n"
    assert run("block", "get", HELLO).out == "hello"
    assert run("block", "stat", HELLO).out == f"Key: {HELLO}\nSize: 5\n"
    assert json.loads(run("repo", "stat", "--json").out)["NumObjects"] == 1


def test_standard_input_is_added_under_its_cid_or_the_name_given(run: Run) -> None:
    assert run("add", "-", input=b"hello").out == f"added {HELLO} {HELLO}\n"
    assert run("add", "-", "--stdin-name", "x", input=b"hello").out == f"added {HELLO} x\n"


def test_a_large_file_comes_back_whole(run: Run, tmp_path: Path) -> None:
    content = bytes(range(256)) * (20 << 12)
    (tmp_path / "large").write_bytes(content)
    cid = run("add", "-q", tmp_path / "large").out.strip()
    outcome = run("cat", cid)
    assert outcome.out.encode("utf-8", "surrogateescape") == content


def test_only_the_hash_leaves_nothing_behind(run: Run, hello: Path) -> None:
    assert run("add", "-nq", hello).out == f"{HELLO}\n"
    assert run("refs", "local").out == ""


def test_what_needs_no_lock_works_beside_a_holder_without_an_api(run: Run, repo: Path, hello: Path) -> None:
    run("init", "--profile", "test")
    with (repo / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert run("id").out.startswith("Peer ID:     12D3KooW")
        assert json.loads(run("config", "get", "Routing", "--json").out)["Value"]["Type"] == "none"
        assert run("add", "-nq", hello).out == f"{HELLO}\n"
        assert run("version").code == 0


def test_init_makes_one_identity_and_leaves_it_alone(run: Run, repo: Path) -> None:
    outcome = run("init", "--profile", "test")
    assert outcome.code == 0
    first, second = outcome.out.splitlines()
    assert first == f"initialized a repo at {repo}"
    peer = second.removeprefix("peer identity: ")
    again = run("init")
    assert (again.code, again.err) == (1, f"Error: there is a repo at {repo} already; nothing was changed\n")
    assert json.loads(run("id", "--json").out)["ID"] == peer


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["id"], "make one with `node init`"),
        (["cat", HELLO], "make one with `node init`"),
        (["init", "--profile", "fast"], "unknown profile 'fast'; known are"),
    ],
)
def test_without_a_repo_the_error_says_what_to_do(run: Run, words: list[str], complaint: str) -> None:
    outcome = run(*words)
    assert (outcome.code, outcome.out) == (1, "")
    assert complaint in outcome.err
    assert outcome.err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "code", "complaint"),
    [
        (["cat", "nonsense"], 1, "not a CID"),
        (["cat", HELLO], 1, "is not in the store"),
        (["cat", "--offline", HELLO], 1, "is not in the store"),
        (["block", "rm", HELLO], 1, f"cannot remove {HELLO}"),
        (["block", "put", "--cid-codec", "nonsense"], 1, "nonsense"),
        (["block", "put", "--mhtype", "md5"], 1, "md5"),
        (["config", "set", "Routing.Typ", "dht"], 1, "Routing.Type"),
        (["config", "get", "Nope"], 1, "Nope"),
        (["add", ""], 1, "cannot read ''"),
        (["cat", "--peer", "nonsense", HELLO], 1, "nonsense"),
    ],
)
def test_bad_input_is_one_line_and_harms_nothing(
    run: Run, repo: Path, words: list[str], code: int, complaint: str
) -> None:
    run("init", "--profile", "test")
    outcome = run(*words)
    assert (outcome.code, outcome.out) == (code, "")
    assert outcome.err.startswith("Error: ")
    assert outcome.err.count("\n") == 1
    assert complaint in outcome.err
    assert run("add", "-q", "-", input=b"hello").out == f"{HELLO}\n"


def test_a_setting_is_kept(run: Run) -> None:
    run("init")
    assert (run("config", "set", "Datastore.StorageMax", "20GB").err) == ""
    assert run("config", "set", "Bootstrap", "[]").code == 0
    assert run("config", "get", "Datastore.StorageMax").out == "20GB\n"
    assert json.loads(run("config", "show").out)["Datastore"]["StorageMax"] == "20GB"


def test_a_daemon_tells_what_it_takes_up_later(shelf: Any) -> None:
    key = "Swarm.UploadRate"
    with shelf.running():
        assert shelf.run("config", "get", key).stderr == b""
        shelf("config", "set", key, "4MB/s")
        done = shelf.run("config", "get", key)
        assert done.stdout == b"unlimited\n"
        assert done.stderr == b"the running daemon takes up 4MB/s when it starts next\n"
        assert json.loads(shelf("config", "get", key, "--json"))["NextValue"] == "4MB/s"
        (shelf.path / "config.toml").write_text("[")
        assert "config.toml" in shelf.fails("config", "get", key)
    (shelf.path / "config.toml").write_text("")


def test_commands_that_start_together_take_turns(launch: Launch, repo: Path, tmp_path: Path) -> None:
    processes = []
    for number in range(4):
        (tmp_path / str(number)).write_text(str(number))
        words = ["add", "-q", tmp_path / str(number), "--repo", repo]
        processes.append(launch(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
    outcomes = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    assert [err for _, err in outcomes] == [b""] * 4
    assert len({out for out, _ in outcomes}) == 4


def test_ctrl_c_while_standard_input_is_silent(launch: Launch, repo: Path, tmp_path: Path) -> None:
    with (tmp_path / "first").open("wb") as first:
        first.truncate(0)
    words = ["add", "-q", tmp_path / "first", "-", "--repo", repo]
    process = launch(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() != b""  # the first file is added: now it waits for standard input
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, b"", b"")


def test_a_closed_pipe_ends_quietly(launch: Launch, run: Run, repo: Path, tmp_path: Path) -> None:
    with (tmp_path / "zeros").open("wb") as zeros:
        zeros.truncate(40 << 20)
    cid = run("add", "-q", tmp_path / "zeros").out.strip()
    process = launch(["cat", cid, "--repo", repo], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.read(10)
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(30) == 0
