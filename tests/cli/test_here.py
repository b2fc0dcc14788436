"""`cat` without a daemon and, where all is here, without a node; else a node goes on where that ends."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from peershelf.blockstore.block import Block
from peershelf.blockstore.store.pack import PackStore
from peershelf.cli.backend import Backend
from peershelf.cli.errors import OutputClosed
from peershelf.cli.here import HereFirst

CHUNK = 1 << 20
CONTENT = random.Random(1).randbytes(5 * CHUNK + 10)
IMPORTED = """
import sys
from peershelf.cli.main import main
code = main(sys.argv[1:])
print("\\n".join(sys.modules), file=sys.stderr)
sys.exit(code)
"""


class GoesOn(Backend):
    """Remembers what it is asked for, and says that three more bytes will come."""

    description = "a node"

    def __init__(self) -> None:
        self.asked: list[tuple[Sequence[str], Mapping[str, str]]] = []
        self.stores: list[PackStore | None] = []

    def made(self, store: PackStore | None) -> Backend:
        self.stores.append(store)
        return self

    def unary(self, name: str, args: Any = (), options: Any = None) -> Mapping[str, Any]:
        return {"name": name}

    def records(
        self, name: str, on_record: Any, args: Any = (), options: Any = None, sources: Any = ()
    ) -> None:
        on_record({"name": name})

    def stream(
        self,
        name: str,
        write: Any,
        args: Any = (),
        options: Any = None,
        on_length: Any = id,
        output: Any = None,
    ) -> None:
        self.asked.append((args, dict(options)))
        on_length(3)


@pytest.fixture
def added(shelf: Any, tmp_path: Path) -> str:
    (tmp_path / "file").write_bytes(CONTENT)
    cid: str = shelf.text("add", "-Q", "--chunker", f"size-{CHUNK}", tmp_path / "file")
    return cid


def lose(shelf: Any, number: int) -> str:
    """Remove one chunk of the file; returns its CID."""
    block = Block.create(CONTENT[number * CHUNK : (number + 1) * CHUNK])
    with PackStore.open(shelf.path) as store:
        assert store.delete_many([block.cid]) == 1
    return str(block.cid)


def cat(
    shelf: Any, *references: str, common: Mapping[str, str] | None = None, **options: str
) -> tuple[GoesOn, bytes, list[int | None]]:
    """Who went on, what was written before that, and the lengths that were told."""
    node, written, lengths = GoesOn(), bytearray(), []
    HereFirst(str(shelf.path), common or {}, node.made).stream(
        "cat", written.extend, references, options, lengths.append
    )
    return node, bytes(written), lengths


@pytest.mark.parametrize("words", [[], ["-o", "1000000", "-l", "100000"], ["--offline"]])
def test_printing_what_is_here_takes_no_node(shelf: Any, added: str, words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, "cat", added, *words],
        env=shelf.environment,
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == (CONTENT[1_000_000:1_100_000] if "-o" in words else CONTENT)
    imported = set(done.stderr.decode().split())
    assert "peershelf.node.reading_here" in imported
    slow = {"trio", "cryptography", "structlog", "tomlkit", "tempfile", "asyncio", "logging", "ssl"}
    assert not imported & slow


def test_nothing_behind_a_missing_block_is_printed(shelf: Any, added: str) -> None:
    lost = lose(shelf, 3)
    done = shelf.run("cat", added)
    assert done.returncode == 1
    assert CONTENT[: 3 * CHUNK].startswith(done.stdout)
    missing = f"Error: block {lost} is not in the store, and no peer was asked"
    assert done.stderr.decode() == f"{missing}: use `node daemon`, or cat --peer ADDR\n"


def test_whoever_wants_no_peer_to_be_asked_is_told_how_one_is(shelf: Any, added: str) -> None:
    lose(shelf, 3)
    done = shelf.run("cat", "--offline", added)
    assert done.stderr.endswith(b"and no peer was asked: leave out --offline\n")


def test_a_damaged_block_is_never_printed(shelf: Any, added: str) -> None:
    chunk = CONTENT[2 * CHUNK : 3 * CHUNK]
    for segment in (shelf.path / "segments").glob("*.seg"):
        data = bytearray(segment.read_bytes())
        if (at := data.find(chunk)) >= 0:
            data[at + 1000] ^= 1
            segment.write_bytes(data)
    done = shelf.run("cat", added)
    assert done.returncode == 1
    assert CONTENT[: 2 * CHUNK].startswith(done.stdout)
    assert f"block {Block.create(chunk).cid} is damaged on disk" in done.stderr.decode()


def test_what_is_missing_in_the_middle_comes_from_a_peer(new_shelf: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(CONTENT)
    giver, taker = new_shelf(), new_shelf()
    cids = {
        shelf.text("add", "-Q", "--chunker", f"size-{CHUNK}", tmp_path / "file") for shelf in (giver, taker)
    }
    lose(taker, 2)
    with giver.running():
        taker("bootstrap", "add", giver.addresses[0])
        assert taker("cat", *cids, timeout=120) == CONTENT


@pytest.mark.parametrize("options", [{}, {"offset": "10"}, {"offset": "10", "length": str(4 * CHUNK)}])
def test_a_node_goes_on_behind_what_was_printed(
    shelf: Any, added: str, options: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # So that the first chunks are printed before it shows that another is missing.
    monkeypatch.setattr("peershelf.node.reading_here.READ_AHEAD", CHUNK)
    lose(shelf, 3)
    node, written, lengths = cat(shelf, added, **options)
    start = int(options.get("offset", "0"))
    end = start + len(written)
    assert written
    assert written == CONTENT[start:end]
    ((args, asked),) = node.asked
    rest = {"length": str(4 * CHUNK - len(written))} if "length" in options else {}
    assert (args, asked) == ((added,), {"offset": str(end), **rest})
    assert lengths == [int(options.get("length", len(CONTENT) - start)), len(written) + 3]
    assert isinstance(node.stores[0], PackStore), "it has the store that is open already"


def test_several_files_have_no_length_that_is_known(shelf: Any, added: str) -> None:
    node, written, lengths = cat(shelf, added, added)
    assert (node.asked, written, lengths) == ([], CONTENT * 2, [None])


@pytest.mark.parametrize(
    ("common", "options"),
    [
        ({"timeout": "30s"}, {}),
        ({}, {"peer": "/ip4/127.0.0.1/tcp/1"}),
        ({}, {"offset": "9" * 19}),
        ({}, {"length": "9" * 19}),
    ],
)
def test_what_takes_a_node_is_left_to_it_from_the_start(
    shelf: Any, added: str, common: dict[str, str], options: dict[str, str]
) -> None:
    node, written, lengths = cat(shelf, added, common=common, **options)
    assert (node.asked, node.stores, written, lengths) == ([((added,), options)], [None], b"", [3])


def test_denylists_are_left_to_the_node(shelf: Any, added: str) -> None:
    (shelf.path / "denylists").mkdir()
    (shelf.path / "denylists" / "mine.deny").write_text(f"/ipfs/{added}\n")
    node, written, _ = cat(shelf, added)
    assert (len(node.asked), written) == (1, b"")
    assert shelf.fails("cat", added).startswith(f"Error: /ipfs/{added} is blocked by ")


def test_an_output_that_is_closed_does_not_start_a_node(shelf: Any, added: str) -> None:
    node = GoesOn()

    def write(data: bytes | memoryview) -> None:
        raise OutputClosed

    with pytest.raises(OutputClosed):
        HereFirst(str(shelf.path), {}, node.made).stream("cat", write, [added])
    assert node.asked == []
    assert shelf("cat", added) == CONTENT, "the repo is let go of"


def test_ctrl_c_ends_it_while_nobody_reads_its_output(shelf: Any, added: str) -> None:
    process = shelf.start("cat", added, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout.read(10) == CONTENT[:10]  # the rest is more than a pipe holds
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert (process.returncode, told) == (130, b"")
    assert shelf("cat", added) == CONTENT, "the repo is let go of"


def test_other_operations_are_the_nodes(shelf: Any) -> None:
    node = GoesOn()
    backend = HereFirst(str(shelf.path), {}, node.made)
    records: list[Any] = []
    backend.records("ping", records.append)
    backend.stream("stats", lambda data: None)
    assert (records, backend.unary("denylist/ls")) == ([{"name": "ping"}], {"name": "denylist/ls"})
    assert (len(node.asked), node.stores) == (1, [None] * 3)


def test_a_repo_that_cannot_be_closed_is_told_of(shelf: Any, added: str, unclosable_store: None) -> None:
    from peershelf.cli.errors import CliError

    with pytest.raises(CliError, match="Input/output error"):
        cat(shelf, added)
