"""A daemon that starts while a command without a node has the repo, or is about to take it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from peershelf.blockstore.block import Block
from peershelf.blockstore.car import writer
from peershelf.cli.context import Context
from peershelf.cli.grammar import Call
from peershelf.cli.locate import is_locked
from peershelf.cli.sources import collect

BLOCKS = [Block.create(b"%d" % number * 500) for number in range(400)]
ROOT = BLOCKS[-1].cid


def archive() -> bytes:
    sections = (part for block in BLOCKS for part in writer.section(block))
    return writer.header([ROOT]) + b"".join(sections)


def begins_with(running: Any, data: bytes) -> None:
    """Give it so much, and return once it has the repo."""
    running.stdin.write(data)
    running.stdin.flush()
    end = time.monotonic() + 30
    while not is_locked(running.args[-1]):
        assert running.poll() is None
        assert time.monotonic() < end
        time.sleep(0.02)


def daemon_is_told(shelf: Any, holder: subprocess.Popen[bytes]) -> None:
    """Start a daemon, which must end with a line that says who has the repo."""
    told = shelf.fails("daemon", timeout=60)
    assert told.startswith(f"Error: {shelf.path} is in use by process {holder.pid} (")


@pytest.mark.parametrize("words", [["dag", "import"], ["block", "put"]])
def test_a_daemon_names_the_command_and_nothing_of_it_is_lost(shelf: Any, words: list[str]) -> None:
    data = archive() if words == ["dag", "import"] else b"a block that comes in two pieces"
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with shelf.start(*words, "--repo", shelf.path, **pipes) as running:
        begins_with(running, data[: len(data) // 2])
        daemon_is_told(shelf, running)
        out, error = running.communicate(data[len(data) // 2 :], timeout=60)
    assert (running.returncode, error) == (0, b"")
    cids = [str(block.cid) for block in BLOCKS] if words == ["dag", "import"] else [out.decode().strip()]
    with shelf.running():
        assert set(shelf.text("refs", "local").split()) == set(cids)
        if words == ["dag", "import"]:
            assert shelf.text("pin", "ls", "-q") == str(ROOT)
        assert shelf("block", "get", cids[-1])
        assert shelf.text("repo", "verify").endswith("all sound")


def test_a_daemon_names_a_collection_which_goes_on_to_its_end(shelf: Any, tmp_path: Path) -> None:
    kept, garbage = tmp_path / "kept", tmp_path / "garbage"
    kept.write_bytes(b"kept")
    garbage.write_bytes(os.urandom(600_000))
    cid = shelf.text("add", "-Q", kept)
    shelf("add", "-Q", "--pin=false", "--chunker", "size-100", garbage)
    # Nobody reads more than a line of what a pipe has no room for: it rests in the middle.
    with shelf.start("repo", "gc", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout.readline().startswith(b"removed ")
        daemon_is_told(shelf, running)
        out, error = running.communicate(timeout=60)
    assert (running.returncode, error) == (0, b"")
    assert out.count(b"removed ") >= 6000
    with shelf.running():
        assert shelf.text("refs", "local") == cid
        assert shelf("cat", cid) == b"kept"


def records(backend: Any, name: str, *files: Path) -> list[Any]:
    found: list[Any] = []
    backend.records(name, found.append, sources=collect([str(file) for file in files]))
    return found


def streamed(backend: Any, name: str, *args: str) -> bytes:
    found = bytearray()
    backend.stream(name, found.extend, args)
    return bytes(found)


DO: dict[str, Callable[[Any, Path], object]] = {
    "one answer": lambda backend, file: backend.unary("repo/stat")["NumObjects"],
    "an upload": lambda backend, file: records(backend, "block/put", file),
    "a collection": lambda backend, file: records(backend, "repo/gc"),
    "bytes": lambda backend, file: streamed(backend, "block/get", str(BLOCKS[0].cid)),
}


@pytest.mark.parametrize("name", DO)
def test_a_daemon_that_was_quicker_is_asked(shelf: Any, tmp_path: Path, name: str) -> None:
    """The command found nobody, and by the time that it wants the repo, a daemon has it."""
    file = tmp_path / "block"
    file.write_bytes(BLOCKS[0].data)
    shelf("block", "put", "--pin", file)
    backend = Context(Call([], {"repo": str(shelf.path)})).backend()
    with shelf.running():
        told = DO[name](backend, file)
    alone = DO[name](Context(Call([], {"repo": str(shelf.path)})).backend(), file)
    assert told == alone
