"""`dag export` and `dag import` as their users run them."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from peershelf.blockstore import varint
from peershelf.blockstore.block import Block
from peershelf.blockstore.car import writer
from peershelf.blockstore.cid import RAW, Cid

NewShelf = Callable[[], Any]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    rng = random.Random(2)
    folder = tmp_path / "tree"
    (folder / "inner").mkdir(parents=True)
    (folder / "big").write_bytes(rng.randbytes(3_500_000))
    for number in range(30):
        (folder / "inner" / f"{number}").write_bytes(rng.randbytes(number * 50))
    return folder


def test_a_tree_moves_from_one_repo_to_another(
    node: Any, new_shelf: NewShelf, tree: Path, tmp_path: Path
) -> None:
    other, archive = new_shelf(), tmp_path / "tree.car"
    cid = other.text("add", "-r", "-Q", tree)
    archive.write_bytes(other("dag", "export", cid))
    assert other.text("dag", "export", "-o", tmp_path / "same.car", cid).startswith("saved ")
    assert (tmp_path / "same.car").read_bytes() == archive.read_bytes()
    blocks = len(set(other.text("refs", "-r", "-u", cid).splitlines())) + 1
    told = node.text("dag", "import", "--stats", archive).splitlines()
    assert told[0] == f"pinned root {cid}"
    assert told[1].startswith(f"imported {blocks} blocks (")
    assert node.text("pin", "ls", "-q") == cid
    assert node("cat", f"{cid}/big") == (tree / "big").read_bytes()
    assert node("dag", "export", cid) == archive.read_bytes()
    record = json.loads(node("--json", "dag", "import", archive))
    assert record == {"Root": {"Cid": {"/": cid}, "PinErrorMsg": ""}}


def test_several_archives_and_standard_input(node: Any, tmp_path: Path) -> None:
    blocks = [Block.create(bytes([number])) for number in range(3)]
    paths = []
    for number, block in enumerate(blocks):
        paths.append(tmp_path / f"{number}.car")
        paths[-1].write_bytes(writer.header([block.cid]) + b"".join(writer.section(block)))
    assert len(node.text("dag", "import", *paths[:2]).splitlines()) == 2
    assert node.text("dag", "import", input=paths[2].read_bytes()) == f"pinned root {blocks[2].cid}"
    assert len(node.text("pin", "ls").splitlines()) == 3


def test_a_root_that_is_not_whole_is_not_pinned(
    node: Any, new_shelf: NewShelf, tree: Path, tmp_path: Path
) -> None:
    other = new_shelf()
    cid = Cid.parse(other.text("add", "-r", "-Q", tree))
    data = other("block", "get", str(cid))
    (tmp_path / "part.car").write_bytes(writer.header([cid]) + b"".join(writer.section(Block(cid, data))))
    assert f"{cid} was not pinned" in node.fails("dag", "import", tmp_path / "part.car")
    assert node.text("pin", "ls") == ""
    assert node.text("dag", "import", "--pin-roots=false", tmp_path / "part.car") == ""


def test_a_dag_in_several_archives_is_pinned(
    node: Any, new_shelf: NewShelf, tree: Path, tmp_path: Path
) -> None:
    other = new_shelf()
    cid = other.text("add", "-Q", tree / "big")
    blocks = [
        Block(Cid.parse(ref), other("block", "get", ref)) for ref in [cid, *other.text("refs", cid).split()]
    ]
    paths = []
    for number, block in enumerate(blocks):
        paths.append(tmp_path / f"{number}.car")
        paths[-1].write_bytes(writer.header([block.cid][number:]) + b"".join(writer.section(block)))
    assert node.text("dag", "import", *paths) == f"pinned root {cid}"
    assert node("cat", cid) == (tree / "big").read_bytes()


GOOD = Block.create(b"good")
BAD = {
    "a wrong hash": b"".join(writer.section(Block(Block.create(b"one").cid, b"another"))),
    "md5": b"".join(writer.section(Block(Cid(1, RAW, b"\xd5\x01\x10" + bytes(16)), b"x"))),
    "a short digest": b"".join(writer.section(Block(Cid(1, RAW, b"\x12\x04" + bytes(4)), b"x"))),
    "a long identity": b"".join(writer.section(Block(Cid(1, RAW, b"\x00\x81\x01" + bytes(129)), bytes(129)))),
    "an oversize section": varint.encode((8 << 20) + 1),
    "a cut section": b"".join(writer.section(GOOD))[:-1],
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_archive_pins_nothing_and_stores_no_wrong_block(shelf: Any, tmp_path: Path, name: str) -> None:
    archive = tmp_path / "bad.car"
    archive.write_bytes(writer.header([GOOD.cid]) + b"".join(writer.section(GOOD)) + BAD[name])
    shelf.fails("dag", "import", archive)
    assert shelf.text("pin", "ls") == ""
    assert set(shelf.text("refs", "local").split()) <= {str(GOOD.cid)}
    assert shelf.text("repo", "verify").endswith("all sound")


def test_an_import_that_was_killed_can_be_run_again(shelf: Any, new_shelf: NewShelf, tmp_path: Path) -> None:
    other = new_shelf()
    big = tmp_path / "big"
    big.write_bytes(os.urandom(60_000_000))
    cid = other.text("add", "-Q", big)
    other("dag", "export", "-o", tmp_path / "big.car", cid)
    with shelf.start("dag", "import", stdin=subprocess.PIPE) as running:
        # A pipe holds less by far: nearly all of it has been taken.
        running.stdin.write((tmp_path / "big.car").read_bytes()[:40_000_000])
        running.send_signal(signal.SIGKILL)
    assert shelf.text("pin", "ls") == ""
    assert shelf.text("repo", "verify").endswith("all sound")
    shelf("dag", "import", tmp_path / "big.car")
    assert shelf("cat", cid) == big.read_bytes()


def test_an_export_that_fails_leaves_no_file(shelf: Any, tmp_path: Path) -> None:
    absent = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"
    shelf.fails("--offline", "dag", "export", "-o", tmp_path / "x.car", absent)
    assert not list(tmp_path.glob("*.car*"))
