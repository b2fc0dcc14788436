"""Uploads without a daemon that are ended in the middle: nothing is half done, and the repo is let go of."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

LARGE = random.Random(1).randbytes((9 << 20) + 5)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A directory with a small file and a large one."""
    top = tmp_path / "tree"
    (top / "sub").mkdir(parents=True)
    (top / "small").write_bytes(b"hello")
    (top / "sub" / "large").write_bytes(LARGE)
    return top


@pytest.fixture
def nothing_left(shelf: Any) -> Callable[[], None]:
    """Says that an add that was ended left no pin, and the repo as it should be."""

    def check() -> None:
        assert shelf("pin", "ls") == b""
        assert shelf.text("repo", "verify").endswith("all sound")

    return check


def interrupted(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    out, told = process.communicate(timeout=30)
    assert (process.returncode, out, told) == (130, b"", b"")


def test_ctrl_c_ends_it_while_a_pipe_is_waited_for(shelf: Any, nothing_left: Callable[[], None]) -> None:
    receiver, sender = os.pipe()
    streams = {"stdin": receiver, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    adding = shelf.start("add", "-", **streams)
    os.close(receiver)
    with os.fdopen(sender, "wb", buffering=0) as pipe:
        for _ in range(4):
            pipe.write(LARGE)  # a pipe holds less by far: it has been read from
        interrupted(adding)
    nothing_left()


@pytest.fixture
def archive(new_shelf: Callable[[], Any], tree: Path, tmp_path: Path) -> Path:
    other, path = new_shelf(), tmp_path / "tree.car"
    other("dag", "export", "-o", path, other.text("add", "-rQ", tree))
    return path


@pytest.mark.parametrize("words", ["dag import", "block put"])
def test_ctrl_c_ends_another_upload_while_a_pipe_is_waited_for(
    shelf: Any, archive: Path, nothing_left: Callable[[], None], words: str
) -> None:
    receiver, sender = os.pipe()
    uploading = shelf.start(*words.split(), stdin=receiver, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    os.close(receiver)
    with os.fdopen(sender, "wb", buffering=0) as pipe:
        pipe.write(archive.read_bytes()[:200_000])  # a pipe holds less: it has been read from
        interrupted(uploading)
    nothing_left()


def test_ctrl_c_ends_it_while_nobody_opens_a_pipe(
    shelf: Any, tmp_path: Path, nothing_left: Callable[[], None]
) -> None:
    os.mkfifo(tmp_path / "pipe")
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    adding = shelf.start("add", tmp_path / "pipe", **streams)
    writer = os.open(tmp_path / "pipe", os.O_WRONLY)  # waits until the command reads
    os.close(writer)
    adding.communicate(timeout=30)
    assert adding.returncode == 0
    shelf("pin", "rm", *[line.split()[0] for line in shelf.text("pin", "ls").splitlines()])
    (tmp_path / "small").write_bytes(b"hello")
    adding = shelf.start("add", "-q", tmp_path / "small", tmp_path / "pipe", **streams)
    assert adding.stdout.readline(), "it comes to the pipe next"
    adding.send_signal(signal.SIGINT)
    adding.communicate(timeout=30)
    assert adding.returncode == 130
    assert shelf("cat", shelf.text("pin", "ls").split()[0]) == b"hello"


IN_THE_MIDDLE = """
import os, signal, sys
from peershelf.blockstore.store.pack.hold import PackHold
from peershelf.cli.start import entry

put_behind = PackHold.put_behind

def interrupted(self, blocks):
    os.kill(os.getpid(), signal.SIGINT)
    put_behind(self, blocks)
    os.write(2, b"put\\n")

PackHold.put_behind = interrupted
sys.argv[0] = "peershelf"
entry()
"""


def test_ctrl_c_leaves_no_write_in_the_middle(
    shelf: Any, tree: Path, nothing_left: Callable[[], None]
) -> None:
    for words in ([tree / "small"], [tree / "sub/large"], ["-r", tree]):
        done = subprocess.run(
            [sys.executable, "-c", IN_THE_MIDDLE, "add", *words],
            env=shelf.environment,
            capture_output=True,
            timeout=60,
        )
        assert (done.returncode, done.stdout) == (130, b"")
        assert set(done.stderr.split()) == {b"put"}, "what was begun was ended, and nothing else is said"
        nothing_left()


def test_ctrl_c_leaves_no_write_of_an_import_in_the_middle(
    shelf: Any, archive: Path, nothing_left: Callable[[], None]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IN_THE_MIDDLE, "dag", "import", archive],
        env=shelf.environment,
        capture_output=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (130, b"")
    assert set(done.stderr.split()) == {b"put"}
    nothing_left()


def test_ctrl_c_is_heard_when_all_is_added(shelf: Any, tree: Path) -> None:
    probe = IN_THE_MIDDLE.replace("put_behind", "close")
    done = subprocess.run(
        [sys.executable, "-c", probe.replace("self, blocks", "self"), "add", "-Q", tree / "small"],
        env=shelf.environment,
        capture_output=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (130, b"")
    assert len(shelf.text("pin", "ls").splitlines()) == 1


def test_a_reader_who_goes_away_ends_it_quietly(shelf: Any, tmp_path: Path) -> None:
    files = [tmp_path / f"{number:03}" for number in range(50)]
    for path in files:
        path.write_text(path.name)
    adding = shelf.start("add", "-q", *files, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    first = adding.stdout.readline().decode().strip()
    adding.stdout.close()
    assert adding.stderr.read() == b""
    adding.stderr.close()
    assert adding.wait(30) == 0
    assert shelf("cat", first) == b"000"
