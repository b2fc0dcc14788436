"""`add` without a daemon and without a node: it says and leaves in the repo what a node's add does."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.pins import Pins
from peershelf.cli.backend import Backend
from peershelf.cli.here import HereFirst
from peershelf.cli.local import LocalBackend
from peershelf.cli.sources import collect
from peershelf.node.opening import opened_store
from peershelf.node.providing.queue import ProvideQueue

LARGE = random.Random(1).randbytes((9 << 20) + 5)
BY_NODE = ("--timeout", "1h")
"""Deadlines are a node's, so with one the same command takes the other way."""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree with something of everything."""
    top = tmp_path / "tree"
    (top / "sub" / "empty").mkdir(parents=True)
    (top / "small").write_bytes(b"hello")
    (top / "sub" / "large").write_bytes(LARGE)
    (top / "sub" / "none").write_bytes(b"")
    (top / ".hidden").write_bytes(b"hidden")
    (top / "link").symlink_to("sub/large")
    os.utime(top / "small", ns=(0, 1_234_567_890_123_456_789))
    return top


WORDS = [
    ["small"],
    ["small", "sub/large"],
    ["-Q", "small", "sub/large"],
    ["-w", "small", "sub/large"],
    ["-r", "."],
    ["-r", "-H", "--dereference-symlinks", "."],
    ["-rQ", "sub", "small"],
    ["-r", "--ignore", "small", "--json", "."],
    ["-r", "--preserve-mode", "--preserve-mtime", "--json", "."],
    ["-r", "--profile", "unixfs-v0-2015", "."],
    ["--chunker", "size-1000", "--max-file-links", "5", "--hash", "blake3", "sub/large"],
    ["--pin=false", "small"],
    ["--no-provide", "sub/large"],
    ["-n", "small"],
    ["-nr", "--json", "."],
    ["--offline", "-q", "link"],
    ["-", "small"],
    ["-w", "-", "--stdin-name", "name"],
]


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_a_node_says_the_same_and_leaves_the_same(new_shelf: Any, tree: Path, words: list[str]) -> None:
    without, by_node = new_shelf(), new_shelf()
    for shelf in (without, by_node):
        shelf.environment["PEERSHELF_ROUTING_TYPE"] = "dhtclient"
    told = without.run("add", *words, cwd=tree, input=LARGE)
    assert told.returncode == 0, told.stderr
    assert told.stdout
    done = by_node.run("add", *words, *BY_NODE, cwd=tree, input=LARGE)
    assert (told.returncode, told.stdout, told.stderr) == (done.returncode, done.stdout, done.stderr)
    assert left_in(without) == left_in(by_node)


def left_in(shelf: Any) -> tuple[Any, ...]:
    """Blocks, pins, what is not to be announced, and what is to be, when a node is online."""
    with opened_store(shelf.path) as store:
        blocks = sorted(store.multihashes())
    with Pins(shelf.path / "facts.db") as pins:
        pinned, hidden = list(pins.list()), pins.unannounced()
    queued: set[bytes] = set()
    if (shelf.path / "provide.db").exists():
        with ProvideQueue(shelf.path / "provide.db") as queue:
            queued = set(queue.first(100))
    return blocks, pinned, hidden, queued


def test_a_node_tells_the_same_progress(new_shelf: Any, tree: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    def told(backend: Backend) -> list[Any]:
        records: list[Any] = []
        writer = Thread(target=(tmp_path / "pipe").write_bytes, args=(LARGE,))
        writer.start()
        paths = [str(tree / "small"), str(tree / "sub" / "large"), str(tmp_path / "pipe")]
        backend.records("add", records.append, options={"progress": "true"}, sources=collect(paths))
        writer.join()
        return records

    def no_node(store: object) -> Backend:
        pytest.fail("it was left to the node")

    without = told(HereFirst(str(new_shelf().path), {}, no_node))
    assert sum("Hash" in record for record in without) == 3
    assert sum("Bytes" in record for record in without) > 30
    assert without == told(LocalBackend(str(new_shelf().path)))


def test_a_root_is_pinned_and_queued_for_announcing(shelf: Any, tree: Path) -> None:
    shelf.environment["PEERSHELF_ROUTING_TYPE"] = "dhtclient"
    shown, hidden = (
        Cid.parse(shelf.text("add", "-Q", *words))
        for words in (
            [tree / "small"],
            ["--no-provide", tree / "sub/large"],
        )
    )
    _, pinned, unannounced, queued = left_in(shelf)
    assert {pin.cid for pin in pinned} == {shown, hidden}
    assert (unannounced, queued) == ([hidden], {shown.multihash})


@pytest.mark.parametrize(
    "words",
    [["small"], ["-r", "."], ["-w", "small", "-"], ["-n", "small"], ["--offline", "--json", "small"]],
    ids=" ".join,
)
def test_no_node_is_imported(
    shelf: Any, tree: Path, imported_without_a_node: Callable[..., set[str]], words: list[str]
) -> None:
    imported = imported_without_a_node(shelf, "add", *words, cwd=tree, input=b"text")
    assert "peershelf.node.adding_here" in imported


@pytest.mark.parametrize(
    "words",
    [
        ["--mtime-nsecs", "5", "small"],
        ["--raw-leaves", "--preserve-mode", "small"],
        ["--chunker", "size-99999999999", "small"],
        ["small", "missing"],
    ],
    ids=" ".join,
)
def test_a_node_fails_the_same(new_shelf: Any, tree: Path, words: list[str]) -> None:
    without, by_node = new_shelf(), new_shelf()
    told = without.run("add", *words, cwd=tree)
    assert told.returncode != 0
    done = by_node.run("add", *words, *BY_NODE, cwd=tree)
    assert (told.returncode, told.stdout, told.stderr) == (done.returncode, done.stdout, done.stderr)
    assert left_in(without) == left_in(by_node)


def test_a_file_that_fails_in_the_middle_ends_it_behind_what_was_added(shelf: Any, tree: Path) -> None:
    # Reading its first bytes is an error of the system.
    done = shelf.run("add", "-q", tree / "small", "/proc/self/mem", tree / "small")
    assert done.returncode == 1
    assert done.stdout.count(b"\n") == 1
    assert done.stderr == b"Error: cannot read /proc/self/mem: Input/output error\n"
    assert shelf("cat", done.stdout.decode().strip()) == b"hello"
