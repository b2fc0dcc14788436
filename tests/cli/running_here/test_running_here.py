"""Operations without a node: how they go on, are waited for, and end."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filled import INPUT, LARGE, Filled, damage, lose

from peershelf.cli.backend import Backend
from peershelf.cli.here import HereFirst
from peershelf.cli.local import LocalBackend
from peershelf.cli.sources import collect
from peershelf.node.opening import opened_store


def test_a_tree_is_written(filled: Callable[[], Filled], tmp_path: Path) -> None:
    one = filled()
    told = one.shelf.run("get", "-o", tmp_path / "out", one.root)
    assert told.returncode == 0, told.stderr
    assert (tmp_path / "out" / "sub" / "large").read_bytes() == LARGE
    assert (tmp_path / "out" / "z").readlink() == Path("sub/large")
    assert (tmp_path / "out" / "sub" / "empty").is_dir()


@pytest.mark.parametrize(
    "words",
    [
        "refs -r --offline ROOT",
        "ls --offline ROOT/sub/large",
        "get -ao - --offline ROOT",
        "dag export --offline ROOT",
    ],
)
def test_a_node_goes_on_where_a_block_is_missing(filled: Callable[[], Filled], words: str) -> None:
    """What was given out before is not given out once more."""
    one = filled()
    lose(one.shelf, LARGE[1_000_000:2_000_000])
    told, done = one.both_ways(words)
    assert len(told.stdout) == len(done.stdout)
    if not words.startswith("get"):
        assert told.stdout == done.stdout
    assert (told.returncode, told.stderr) == (done.returncode, done.stderr)


def test_a_block_that_is_damaged_is_told_of_by_a_node(filled: Callable[[], Filled]) -> None:
    one = filled()
    damage(one.shelf)
    told, done = one.both_ways("get -ao - --offline ROOT")
    assert told.returncode == done.returncode == 1
    assert (len(told.stdout), told.stderr) == (len(done.stdout), done.stderr)


def no_node(store: object) -> Backend:
    pytest.fail("it was left to the node")


@pytest.mark.parametrize("name", ["pin/add", "pin/verify", "dag/stat", "dag/import"])
def test_progress_is_told(filled: Callable[[], Filled], name: str) -> None:
    def told(backend: Backend) -> list[Any]:
        records: list[Any] = []
        args = [one.root] if name in ("pin/add", "dag/stat") else []
        sources = collect(one.words("CAR")) if name == "dag/import" else []
        backend.records(name, records.append, args, {"progress": "true"}, sources)
        return records

    one = filled()
    without = told(HereFirst(str(one.shelf.path), {}, no_node))
    assert without[-1:] == told(LocalBackend(str(one.shelf.path)))[-1:]
    if name in ("pin/add", "dag/import"):
        assert without[0]["Progress"] >= 1


def test_progress_is_not_counted_where_a_node_goes_on(filled: Callable[[], Filled]) -> None:
    one = filled()
    lose(one.shelf, LARGE[1_000_000:2_000_000])

    class Node(Backend):
        def records(self, name: str, on_record: Any, *more: Any) -> None:
            on_record({"Progress": 1})
            on_record({"Pins": ["all"]})

        def unary(self, *more: Any) -> Any: ...

        def stream(self, *more: Any) -> None: ...

    records: list[Any] = []
    backend = HereFirst(str(one.shelf.path), {}, lambda store: Node())
    backend.records("pin/add", records.append, [one.root], {"progress": "true"})
    assert records[0]["Progress"] >= 1
    assert records[-2:] == [{"Progress": 1}, {"Pins": ["all"]}]


def test_a_repo_without_its_key_says_so(filled: Callable[[], Filled]) -> None:
    one = filled()
    (one.shelf.path / "identity.key").unlink()
    assert "identity.key is missing" in one.shelf.fails("ls", one.root)


@pytest.mark.parametrize("words", ["pin ls -q", "block put ONE -", "repo gc"])
def test_whoever_holds_the_repo_is_waited_for(filled: Callable[[], Filled], words: str) -> None:
    one, other = filled(), filled()
    with opened_store(one.shelf.path):
        waiting = one.shelf.start(*one.words(words), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(0.5)
    told = waiting.communicate(INPUT, timeout=30)[0]
    assert told == other.shelf(*other.words(words), input=INPUT)


def test_ctrl_c_is_heard_between_two_records(filled: Callable[[], Filled]) -> None:
    one = filled()
    shown: list[Any] = []

    def show(record: Any) -> None:
        shown.append(record)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        HereFirst(str(one.shelf.path), {}, no_node).records("pin/ls", show, (), {"stream": "true"})
    assert len(shown) == 1
    with opened_store(one.shelf.path):
        pass  # the repo was let go of


def test_what_the_output_raises_is_no_reason_to_start_again(filled: Callable[[], Filled]) -> None:
    one = filled()

    def fail(data: object) -> None:
        raise OSError(5, "Input/output error")

    with pytest.raises(Exception, match="Input/output error"):
        HereFirst(str(one.shelf.path), {}, no_node).stream("block/get", fail, [one.root])
