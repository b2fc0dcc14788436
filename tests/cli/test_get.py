"""`get` as users run it: interrupted, taken up again, and given trees that want to write elsewhere."""

from __future__ import annotations

import os
import signal
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import DAG_PB, Cid
from peershelf.blockstore.dag import pb
from peershelf.blockstore.unixfs import message
from peershelf.blockstore.unixfs.message import Data, DataType
from peershelf.node.archive import tar_format
from peershelf.node.archive.directory import UNFINISHED
from peershelf.node.archive.member import DIRECTORY, FILE, SYMLINK, Member
from peershelf.node.archive.tar_writer import TarWriter

Launch = Callable[..., subprocess.Popen[bytes]]
Run = Callable[..., Any]
SECOND = b"second" * 50_000


def archive(*members: tuple[Member, bytes]) -> bytes:
    writer = TarWriter(b"root")
    parts = [writer.begin(one) + data + tar_format.padding(len(data)) for one, data in members]
    return b"".join(parts) + tar_format.END


TWO_FILES = archive(
    (Member((), DIRECTORY), b""),
    (Member((b"first",), FILE, size=5), b"first"),
    (Member((b"second",), FILE, size=len(SECOND)), SECOND),
)


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def left_in_the_middle(
    daemon: Any, api: ModuleType, launch: Launch, target: Path, number: signal.Signals
) -> subprocess.CompletedProcess[bytes]:
    """Run `get` of two files, and send a signal while it waits for the rest of the second."""
    never = threading.Event()
    start = api.head(200, "Transfer-Encoding: chunked") + api.chunk(TWO_FILES[:100_000])
    daemon.answers["get"] = api.Answer(b"", early=start, waits=never)
    process = launch(
        ["get", "bafy", "-o", target, "--api", daemon.address], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 20
    while not target.exists() or names(target) != {
        "first",
        os.fsdecode(UNFINISHED),
    }:  # the first is done as well
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    never.set()
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_is_half_written_is_removed_when_the_command_is_interrupted(
    daemon: Any, api: ModuleType, launch: Launch, tmp_path: Path, number: signal.Signals
) -> None:
    done = left_in_the_middle(daemon, api, launch, tmp_path / "target", number)
    code = 130 if number == signal.SIGINT else -number  # a shell shows 143 for SIGTERM
    assert (done.returncode, done.stdout, done.stderr) == (code, b"", b"")
    assert names(tmp_path / "target") == {"first"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_half_written_archive_is_removed_too(
    daemon: Any, api: ModuleType, launch: Launch, tmp_path: Path, number: signal.Signals
) -> None:
    never = threading.Event()
    start = api.head(200, "Transfer-Encoding: chunked") + api.chunk(b"half")
    daemon.answers["dag/export"] = api.Answer(b"", early=start, waits=never)
    words = ["dag", "export", "bafy", "-o", tmp_path / "work.car", "--api", daemon.address]
    process = launch(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    part = tmp_path / os.fsdecode(UNFINISHED)
    deadline = time.monotonic() + 20
    while not part.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(number)
    _, err = process.communicate(timeout=20)
    never.set()
    assert (process.returncode, err) == (-number, b"")
    assert not part.exists()
    assert not (tmp_path / "work.car").exists()


@pytest.mark.parametrize("words", [["get"], ["get", "-a"], ["dag", "export"]])
def test_a_device_is_not_replaced(
    daemon: Any, api: ModuleType, run: Run, tmp_path: Path, words: list[str]
) -> None:
    whole = archive((Member((), FILE, size=4), b"text"))
    daemon.answers["get"] = daemon.answers["dag/export"] = api.chunked([whole])
    (tmp_path / "device.tar").symlink_to("/dev/null")
    outcome = run(*words, "bafy", "-o", tmp_path / "device.tar", "--api", daemon.address)
    assert (outcome.code, outcome.out) == (1, "")
    assert "device.tar' is a device, pipe or socket" in outcome.err
    assert (tmp_path / "device.tar").is_symlink()


def test_an_archive_for_which_a_directory_is_named_is_refused_before_it_is_fetched(
    daemon: Any, run: Run, tmp_path: Path
) -> None:
    outcome = run("dag", "export", "bafy", "-o", tmp_path, "--api", daemon.address)
    assert (outcome.code, outcome.out) == (1, "")
    assert "that is a directory; name a file" in outcome.err
    assert not daemon.calls


def test_it_says_where_a_file_is_that_went_into_a_directory(
    daemon: Any, api: ModuleType, run: Run, tmp_path: Path
) -> None:
    daemon.answers["get"] = api.chunked([archive((Member((), FILE, size=4), b"text"))])
    outcome = run("get", "bafy", "-o", tmp_path, "--api", daemon.address)
    assert outcome.out == f"saved {tmp_path}/root (4 B)\n"
    assert (tmp_path / "root").read_bytes() == b"text"


def test_after_a_kill_the_next_run_clears_up_and_completes_the_tree(
    daemon: Any, api: ModuleType, launch: Launch, run: Run, tmp_path: Path
) -> None:
    target = tmp_path / "target"
    left_in_the_middle(daemon, api, launch, target, signal.SIGKILL)
    assert names(target) == {"first", os.fsdecode(UNFINISHED)}
    first = (target / "first").stat()
    daemon.answers["get"] = api.chunked([TWO_FILES])
    outcome = run("get", "bafy", "-o", target, "--api", daemon.address)
    assert (outcome.code, outcome.err) == (0, "")
    assert names(target) == {"first", "second"}
    assert (target / "second").read_bytes() == SECOND
    assert (target / "first").stat().st_ino == first.st_ino


def test_an_answer_that_breaks_off_leaves_only_whole_files(
    daemon: Any, api: ModuleType, run: Run, tmp_path: Path
) -> None:
    half = api.head(200, "Transfer-Encoding: chunked") + api.chunk(TWO_FILES[:100_000])
    daemon.answers["get"] = api.Answer(half)
    outcome = run("get", "bafy", "-o", tmp_path / "target", "--api", daemon.address)
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.count("\n") == 1
    assert names(tmp_path / "target") == {"first"}


class Canary:
    """A directory beside the target that nothing may change."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        (path / "precious").write_text("precious")
        self._before = self._look()

    def _look(self) -> dict[str, tuple[int, int, bytes]]:
        found = {}
        for one in (self.path, *self.path.rglob("*")):
            status = one.lstat()
            content = one.read_bytes() if one.is_file() else b""
            found[str(one)] = (status.st_mode, status.st_mtime_ns, content)
        return found

    def is_unchanged(self) -> bool:
        return self._look() == self._before and names(self.path.parent) <= {
            "canary",
            "work",
            "repo",
        }


@pytest.fixture
def canary(tmp_path: Path) -> Canary:
    (tmp_path / "work").mkdir()
    return Canary(tmp_path / "canary")


def node(content: Data, *links: tuple[bytes, Cid]) -> Block:
    entries = tuple(pb.Link(cid, name, 1) for name, cid in links)
    return Block.create(pb.encode(pb.PbNode(message.encode(content), entries)), codec=DAG_PB)


OWNED = node(Data(DataType.FILE, b"owned", 5))
BELOW = node(Data(DataType.DIRECTORY), (b"precious", OWNED.cid))
NO_NAMES = [b"..", b"", b"../canary/x", b"a\0b", b"\x1b[31m\xe2\x80\xae\n/"]


@pytest.fixture
def put(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., None]:
    """Store dag-pb blocks in the repo."""

    def put(*blocks: Block) -> None:
        directory = tmp_path_factory.mktemp("blocks")
        paths = [directory / str(block.cid) for block in blocks]
        for path, block in zip(paths, blocks, strict=True):
            path.write_bytes(block.data)
        outcome = run("block", "put", "--cid-codec", "dag-pb", *paths)
        assert outcome.out.split() == [str(block.cid) for block in blocks]

    return put


def test_a_name_that_is_none_is_refused_and_nothing_is_written(
    run: Run, put: Callable[..., None], canary: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(canary.path.parent / "work")
    roots = [node(Data(DataType.DIRECTORY), (name, BELOW.cid)) for name in NO_NAMES]
    put(OWNED, BELOW, *roots)
    for root, *options in *((root,) for root in roots), (roots[0], "--archive"):
        outcome = run("get", str(root.cid), "-o", "out", *options)
        assert (outcome.code, outcome.out) == (1, "")
        assert outcome.err.startswith("Error: refused: the entry '")
        assert outcome.err.count("\n") == 1
        assert outcome.err[:-1].isprintable()
    assert canary.is_unchanged()
    assert list(Path("out").rglob("*")) == []


def test_a_link_and_a_directory_of_one_name_are_refused(
    run: Run, put: Callable[..., None], canary: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(canary.path.parent / "work")
    link = node(Data(DataType.SYMLINK, os.fsencode(canary.path)))
    entries = [(b"x", link.cid), (b"x", BELOW.cid)]
    roots = [node(Data(DataType.DIRECTORY), *order) for order in (entries, reversed(entries))]
    put(OWNED, BELOW, link, *roots)
    for root, *options in (roots[0],), (roots[1],), (roots[0], "--archive"):
        outcome = run("get", str(root.cid), "-o", "out", *options)
        assert outcome.code == 1
        assert "two entries are named 'x'" in outcome.err
    assert canary.is_unchanged()


def test_a_node_that_sends_such_an_archive_is_not_believed(
    daemon: Any, api: ModuleType, run: Run, canary: Canary
) -> None:
    root, link = (Member((), DIRECTORY), b""), Member((b"x",), SYMLINK, target=os.fsencode(canary.path))
    hostile = [
        [root, (link, b""), (Member((b"x", b"precious"), FILE, size=5), b"owned")],
        [root, (link, b""), (Member((b"x",), DIRECTORY), b"")],
        [root, (Member((b"..", b"canary", b"precious"), FILE, size=5), b"owned")],
        [root, (Member((b"..",), DIRECTORY), b"")],
        [(Member((b"..", b"x"), FILE, size=5), b"owned")],
    ]
    for number, members in enumerate(hostile):
        daemon.answers["get"] = api.chunked([archive(*members)])
        target = canary.path.parent / "work" / str(number)
        outcome = run("get", "bafy", "-o", target, "--api", daemon.address)
        assert outcome.code == 1
        assert outcome.err.startswith("Error: refused: ")
    assert canary.is_unchanged()


def test_a_target_that_is_a_link_is_not_followed(
    run: Run, put: Callable[..., None], canary: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(canary.path.parent / "work")
    put(OWNED, BELOW)
    Path("out").symlink_to(canary.path)
    outcome = run("get", str(BELOW.cid), "-o", "out")
    assert outcome.code == 1
    assert "there is a symbolic link in its place" in outcome.err
    Path("file").symlink_to(canary.path / "precious")
    assert run("get", str(OWNED.cid), "-o", "file").code == 0
    assert (Path("file").read_bytes(), Path("file").is_symlink()) == (b"owned", False)
    Path("linked.tar").symlink_to(canary.path / "precious")
    assert run("get", "--archive", str(OWNED.cid), "-o", "linked.tar").code == 0
    with tarfile.open("linked.tar") as tar:
        assert [one.size for one in tar] == [5]
    assert canary.is_unchanged()
