"""The lock on a directory: who holds it is known by the kernel, and only told by the file."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from peershelf.blockstore.errors import StoreError, StoreLocked
from peershelf.blockstore.store.lock import DirectoryLock

HOLD = """
import sys
from pathlib import Path
from peershelf.blockstore.store.lock import DirectoryLock
with DirectoryLock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock until its stdin closes."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / "lock"), "an argument"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_process_is_told_who_holds_it(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(StoreLocked) as raised:
        DirectoryLock(tmp_path / "lock")
    message = str(raised.value)
    assert f"process {holder.pid} (" in message
    assert "-c" in message
    assert "\n" not in message
    assert len(message) < 400


def test_a_killed_holder_leaves_no_lock(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    DirectoryLock(tmp_path / "lock").release()


def test_the_same_process_is_refused_too(tmp_path: Path) -> None:
    with (
        DirectoryLock(tmp_path / "lock"),
        pytest.raises(StoreLocked, match=f"is in use by process {os.getpid()} "),
    ):
        DirectoryLock(tmp_path / "lock")
    DirectoryLock(tmp_path / "lock").release()


def test_releasing_twice_is_harmless(tmp_path: Path) -> None:
    lock = DirectoryLock(tmp_path / "lock")
    lock.release()
    lock.release()


def test_only_the_owner_may_read_the_file(tmp_path: Path) -> None:
    (tmp_path / "lock").touch(0o644)
    with DirectoryLock(tmp_path / "lock"):
        assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (b"", "in use by another process"),
        (b"no number\nvi\n", "in use by another process"),
        (b"9" * 100 + b"\n", "in use by another process"),
        (b"\xff\xfe\x00", "in use by another process"),
        (b"12\n", "in use by process 12"),
        (b"12\n\x1b[2Jgone\r\nmore\xe2\x80\xae\n", "in use by process 12 (?[2Jgone??more?)"),
        (b"12\n" + b"x" * 100_000, "in use by process 12 (" + "x" * 117 + "...)"),
    ],
)
def test_what_stands_in_the_file_is_only_shown(tmp_path: Path, content: bytes, shown: str) -> None:
    (tmp_path / "lock").write_bytes(content)
    descriptor = os.open(tmp_path / "lock", os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(StoreLocked) as raised:
        DirectoryLock(tmp_path / "lock")
    os.close(descriptor)
    assert str(raised.value) == f"{tmp_path} is {shown}"


def test_what_a_dead_process_left_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("1\n" + "init " * 500)
    with DirectoryLock(tmp_path / "lock"):
        assert (tmp_path / "lock").read_text().startswith(f"{os.getpid()}\n")
        assert "init init" not in (tmp_path / "lock").read_text()


def test_a_full_disk_keeps_nobody_from_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with DirectoryLock(tmp_path / "lock"), pytest.raises(StoreLocked, match="in use by another process"):
        DirectoryLock(tmp_path / "lock")


def test_a_lock_is_never_taken_through_a_symbolic_link(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("content")
    (tmp_path / "lock").symlink_to(tmp_path / "precious")
    with pytest.raises(StoreError, match="cannot open"):
        DirectoryLock(tmp_path / "lock")
    assert (tmp_path / "precious").read_text() == "content"


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot open .*absent/lock: No such file or directory"):
        DirectoryLock(tmp_path / "absent" / "lock")


def test_a_glance_at_the_lock_turns_nobody_away(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    DirectoryLock(path).release()
    with path.open() as glance:
        fcntl.flock(glance, fcntl.LOCK_SH)
        letting_go = threading.Timer(0.02, fcntl.flock, (glance, fcntl.LOCK_UN))
        letting_go.start()
        DirectoryLock(path).release()
        letting_go.join()
