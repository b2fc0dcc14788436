"""DAGs that are small to write and endless to read, given to the program: it ends, in little memory."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trio

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import DAG_PB
from peershelf.blockstore.dag import pb
from peershelf.blockstore.unixfs import message
from peershelf.blockstore.unixfs.message import Data, DataType
from peershelf.node import Node

MOST_MEMORY = 160 << 10
"""KiB; a command that opens the repo and does little takes 70 to 90 MiB."""

LEAF = Block.create(b"x" * 65_536)
Bomb = list[Block]
"""Its root is the last."""


def node(content: Data | None, *links: tuple[bytes, Block, int]) -> Block:
    entries = tuple(pb.Link(block.cid, name, size) for name, block, size in links)
    data = None if content is None else message.encode(content)
    return Block.create(pb.encode(pb.PbNode(data, entries)), codec=DAG_PB)


def file(*parts: tuple[Block, int]) -> Block:
    sizes = tuple(size for _, size in parts)
    content = Data(DataType.FILE, filesize=sum(sizes), blocksizes=sizes)
    return node(content, *((b"", block, size) for block, size in parts))


def directory(*entries: tuple[bytes, Block]) -> Block:
    return node(Data(DataType.DIRECTORY), *((name, block, 1) for name, block in entries))


def shard(bits: bytes, *links: tuple[bytes, Block], fanout: int = 256) -> Block:
    content = Data(DataType.HAMT, bits, hash_type=0x22, fanout=fanout)
    return node(content, *((name, block, 1) for name, block in links))


def doubled(first: Block, twice: Callable[[Block, int], Block], times: int = 30) -> Bomb:
    blocks = [first]
    for level in range(times):
        blocks.append(twice(blocks[-1], level))
    return blocks


LARGE = [
    LEAF,
    *doubled(file((LEAF, 65_536)), lambda one, n: file((one, 65_536 << n), (one, 65_536 << n)), 34),
]
"""2^50 bytes that are really there."""

EMPTY_PARTS = doubled(file(), lambda one, _: file((one, 0), (one, 0)))
DIRECTORIES = doubled(directory(), lambda one, _: directory((b"a", one), (b"b", one)))
DEEP = doubled(directory(), lambda one, _: directory((b"d", one)), 5_000)
LYING = [LEAF, file((LEAF, (1 << 64) - 1))]
SHARDS = doubled(shard(b""), lambda one, _: shard(b"\3", (b"00", one), (b"01", one)), 200)
BITS = [LEAF, shard(b"\3", (b"00", LEAF))]
FANOUTS = [[LEAF, shard(b"\1", (b"00a", LEAF), fanout=fanout)] for fanout in (0, 7, 1 << 32)]


@pytest.fixture
def put(shelf: Any) -> Callable[[Bomb], str]:
    """Store blocks in the repo of `shelf`; returns the root's CID."""

    def put(blocks: Bomb) -> str:
        async def store() -> None:
            async with Node(shelf.path, online=False) as node:
                node.store.put_many(blocks)

        trio.run(store)
        return str(blocks[-1].cid)

    return put


@pytest.fixture(autouse=True)
def removed(tmp_path: Path) -> Iterator[None]:
    """What goes deeper than paths are long is more than pytest can remove."""
    yield
    subprocess.run(["rm", "-rf", *map(str, tmp_path.iterdir())], check=True)


def ended(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    """Exit code and error text of a process that takes little memory.

    Its memory is looked at while it runs: what the system tells afterwards counts the tests' own, from which
    it was forked.
    """
    assert process.stderr is not None
    while process.poll() is None:
        assert _peak(process.pid) < MOST_MEMORY
        time.sleep(0.01)
    with process.stderr:
        return process.returncode, process.stderr.read().decode()


def _peak(pid: int) -> int:
    """The most memory that a process had, in KiB."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0)


@pytest.mark.parametrize(
    ("bomb", "command", "complaint"),
    [
        (LARGE, "get", "more than the whole disk"),
        (LARGE, "dag stat", ""),
        (EMPTY_PARTS, "get", ""),
        (DIRECTORIES, "dag stat", ""),
        (DIRECTORIES, "refs -r -u", ""),
        (DEEP, "get", "'d' has a path longer than 4096 bytes"),
        (DEEP, "dag stat", ""),
        (LYING, "get", "is not as long as its parent says"),
        (SHARDS, "ls", "its shards are too deep"),
        (BITS, "ls", "not those that it announces"),
        (FANOUTS[0], "ls", "8 to 1024 slots"),
        (FANOUTS[1], "get", "8 to 1024 slots"),
        (FANOUTS[2], "cat", "is a directory"),
    ],
)
def test_a_bomb_ends_in_little_memory(
    shelf: Any, put: Callable[[Bomb], str], tmp_path: Path, bomb: Bomb, command: str, complaint: str
) -> None:
    root = put(bomb)
    with (tmp_path / "out").open("wb") as out:
        process = shelf.start(*command.split(), root, cwd=tmp_path, stdout=out, stderr=subprocess.PIPE)
        code, error = ended(process)
    assert (code, error.count("\n")) == ((1, 1) if complaint else (0, 0))
    assert complaint in error
    assert (tmp_path / "out").stat().st_size < 10_000


@pytest.mark.parametrize(("bomb", "command"), [(LARGE, "cat"), (LARGE, "get -o -")])
def test_an_output_without_end_is_given_out_in_little_memory_until_nobody_wants_it(
    shelf: Any, put: Callable[[Bomb], str], bomb: Bomb, command: str
) -> None:
    root = put(bomb)
    words = [*command.split(), *(["--archive"] if "get" in command else [])]
    process = shelf.start(*words, root, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    read = 0
    while read < 4 << 20:
        read += len(process.stdout.read(1 << 16))
    process.send_signal(signal.SIGINT)
    process.stdout.close()
    code, error = ended(process)
    assert code in (130, 0)  # whichever it saw first, the signal or that nobody reads
    assert error == ""
