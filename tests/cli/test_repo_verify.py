"""Damage as a user meets it: never a wrong byte, always a name, and mended where a peer has the block."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from peershelf.blockstore.cid import Cid
from peershelf.blockstore.store.pack import PackStore

NewShelf = Callable[[], Any]
HEAD = 56
"""Bytes of a record before its block."""
FLIPS = int(os.environ.get("PEERSHELF_FLIPS", "4"))


@pytest.fixture
def content(tmp_path: Path) -> Path:
    path = tmp_path / "content"
    path.write_bytes(random.Random(5).randbytes(300_000))
    return path


def segment(shelf: Any) -> Path:
    [path] = (shelf.path / "segments").glob("*.seg")
    return Path(path)


def flip(path: Path, offset: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        (byte,) = file.read(1)
        file.seek(offset)
        file.write(bytes([byte ^ 0x10]))


def test_a_sound_repo(shelf: Any, content: Path) -> None:
    shelf("add", content)
    assert shelf.text("repo", "verify") == "verified 1 blocks, 293.0 KiB: all sound"
    record = json.loads(shelf("--json", "repo", "verify"))
    assert record["Msg"] == "verify complete, all blocks validated."
    assert shelf.text("repo", "ls") == shelf.text("refs", "local")


def test_a_damaged_block_is_named_and_can_be_dropped(shelf: Any, content: Path) -> None:
    cid = shelf.text("add", "-Q", "--pin=false", content)
    flip(segment(shelf), 1000)
    done = shelf.run("repo", "verify")
    assert done.returncode == 1
    assert done.stdout.decode() == f"{cid} damaged\n"
    assert "1 block is bad" in done.stderr.decode()
    assert shelf.text("repo", "verify", "--drop").splitlines() == [
        f"{cid} damaged",
        f"{cid} dropped",
        "verified 0 blocks, 0 B: all sound",
    ]
    assert shelf.text("refs", "local") == ""


def test_healing_without_a_daemon_says_what_it_takes(shelf: Any) -> None:
    assert "use `node daemon`, or name one with --peer ADDR" in shelf.fails("repo", "verify", "--heal")


def test_a_repo_is_not_sound_where_a_pin_needs_what_was_dropped(shelf: Any, content: Path) -> None:
    cid = shelf.text("add", "-Q", content)
    flip(segment(shelf), 1000)
    done = shelf.run("repo", "verify", "--drop")
    assert done.returncode == 1
    assert done.stdout.decode().splitlines() == [
        f"{cid} damaged (the pin of {cid} needs it)",
        f"{cid} dropped (the pin of {cid} needs it)",
    ]
    assert done.stderr.decode() == (
        "Error: 1 block is bad, and pins need them: `repo verify --heal` fetches them from peers\n"
    )


def test_a_missing_block_is_named_with_the_pin_that_needs_it(shelf: Any, content: Path) -> None:
    cid = shelf.text("add", "-Q", "--chunker", "size-100000", content)
    flip(segment(shelf), 1000)
    (shelf.path / "index.db").unlink()
    done = shelf.run("repo", "verify")
    assert done.returncode == 1
    leaf = shelf.text("refs", cid).splitlines()[0]
    assert done.stdout.decode() == f"{leaf} missing (the pin of {cid} needs it)\n"


def test_a_damaged_node_is_named_as_its_pin_knows_it(shelf: Any, tmp_path: Path) -> None:
    """Found in the store, all that is known of a block is its multihash."""
    tree = tmp_path / "tree"
    (tree / "inner").mkdir(parents=True)
    (tree / "inner" / "file").write_bytes(bytes(range(200)))
    root = shelf.text("add", "-r", "-Q", tree)
    inner = shelf.text("resolve", f"{root}/inner").rpartition("/")[2]
    data = shelf("block", "get", inner)
    flip(segment(shelf), segment(shelf).read_bytes().index(data) + 10)
    done = shelf.run("repo", "verify")
    assert done.stdout.decode() == f"{inner} damaged (the pin of {root} needs it)\n"


def test_healing_needs_peers(shelf: Any, content: Path) -> None:
    assert "node daemon" in shelf.fails("repo", "verify", "--heal")


@pytest.mark.parametrize("lose_index", [False, True])
def test_damage_is_healed_from_a_peer(new_shelf: NewShelf, content: Path, lose_index: bool) -> None:
    """Also where the node is gone and with it all knowledge of what is below it."""
    seed, node = new_shelf(), new_shelf()
    for shelf in (seed, node):
        cid = shelf.text("add", "-Q", "--chunker", "size-30000", content)
    size = segment(node).stat().st_size
    for offset in (500, 100_000, size - 20):
        flip(segment(node), offset)
    if lose_index:
        (node.path / "index.db").unlink()
    with seed.running():
        told = node.text("repo", "verify", "--heal", "--peer", seed.addresses[0]).splitlines()
    assert len([line for line in told if " healed" in line]) == 3
    assert told[-1].endswith("all sound")
    assert node("cat", cid) == content.read_bytes()
    assert node.text("repo", "verify").endswith("all sound")


@dataclass
class Places:
    """Where the blocks' bytes are in a segment, and which of them were hit."""

    payloads: dict[str, tuple[int, int]]
    hit: set[str] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)
    """Those hit in their bytes or in their record's head, which matters only where the index is lost."""

    @classmethod
    def find(cls, source: Any, path: Path, root: str) -> Places:
        data = path.read_bytes()
        cids = [Cid.parse(text) for text in (root, *source.text("refs", root).split())]
        with PackStore.open(source.path) as store:
            blocks = {str(cid): store.get(cid) for cid in cids}
        starts = {cid: data.index(block) for cid, block in blocks.items()}
        return cls({cid: (start, start + len(blocks[cid])) for cid, start in starts.items()})

    def damage(self, start: int, end: int) -> None:
        for cid, (first, last) in self.payloads.items():
            if start < last and end > first:
                self.hit.add(cid)
            if start < last and end > first - HEAD:
                self.touched.add(cid)


def damage(rng: random.Random, node: Any, places: Places) -> None:
    """Flip a bit of segment or index, or cut one of them short."""
    path = rng.choice([segment(node), node.path / "index.db"])
    size = path.stat().st_size
    if rng.random() < 0.8:
        start = rng.randrange(size)
        flip(path, start)
        end = start + 1
    else:
        start, end = rng.randrange(size // 2, size), size
        os.truncate(path, start)
    if path.suffix == ".seg":
        places.damage(start, end)


@pytest.mark.parametrize("seed", range(FLIPS))
def test_no_damage_anywhere_gives_a_wrong_byte_to_anyone(
    new_shelf: NewShelf, content: Path, seed: int
) -> None:
    rng = random.Random(seed)
    source, node = new_shelf(), new_shelf()
    for shelf in (source, node):
        cid = shelf.text("add", "-Q", "--chunker", "size-20000", content)
    places = Places.find(source, segment(node), cid)
    for _ in range(rng.randrange(1, 4)):
        damage(rng, node, places)
    done = node.run("cat", cid)
    assert content.read_bytes().startswith(done.stdout)
    is_whole = done.returncode == 0
    assert is_whole == (done.stdout == content.read_bytes())
    verified = node.run("repo", "verify")
    assert verified.returncode == (0 if is_whole else 1), verified.stderr
    named = {line.split()[0] for line in verified.stdout.decode().splitlines()} - {"verified"}
    # Where the root is gone, nobody can know any more what was below it.
    is_root_known = f"{cid} missing" not in verified.stdout.decode()
    # Where the root is gone, nobody can know any more what was below it.
    assert (places.hit if is_root_known else {cid}) <= named
    assert named <= places.touched
    with source.running():
        node("repo", "verify", "--heal", "--peer", source.addresses[0])
    assert node("--offline", "cat", cid) == content.read_bytes()
    assert node.text("repo", "verify").endswith("all sound")
