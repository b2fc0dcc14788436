"""CARs, data and pins, to and from Kubo: its command line on our API, its files in ours and ours in its."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from peershelf.blockstore.ipld import dag_json

DOCUMENTS = [
    "null",
    "[]",
    "{}",
    "1",
    "-1",
    "9223372036854775807",
    "-9223372036854775808",
    "[1.5,1e30,-0.5,1e-7]",
    '"text \\u0001 \\u2028 \\" \\\\ / é 😀"',
    '{"bb":1,"a":2,"aaa":{"z":[],"y":{}}}',
    '{"/":{"bytes":"AQIDBA"}}',
    '{"link":{"/":"QmWpbzw8f5cZgKSgiPQ3GEtHrCiAASZCHnEewoC2anndyM"},"more":[{"/":{"bytes":""}}]}',
]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    rng = random.Random(3)
    folder = tmp_path / "tree"
    (folder / "inner").mkdir(parents=True)
    (folder / "big").write_bytes(rng.randbytes(3_000_000))
    for number in range(600):
        (folder / "inner" / f"file {number}").write_bytes(rng.randbytes(40))
    return folder


@pytest.fixture
async def ours(kubo, shelf):
    """Runs `ipfs --api OURS …`."""
    program = await kubo()
    with shelf.running():

        async def run(*words: str, data: bytes | None = None) -> str:
            return (await program.cli_bytes("--api", shelf.api, *words, data=data)).decode()

        yield run


async def test_the_same_archive_byte_for_byte(kubo, shelf, tree: Path, tmp_path: Path) -> None:
    theirs = await kubo()
    cid = (await theirs.cli_bytes("add", "-rQ", str(tree))).decode().strip()
    archive = tmp_path / "theirs.car"
    archive.write_bytes(await theirs.cli_bytes("dag", "export", cid))
    assert shelf.text("dag", "import", archive) == f"pinned root {cid}"
    assert shelf("dag", "export", cid) == archive.read_bytes()
    mine = shelf.text("add", "-rQ", tree)
    told = await theirs.cli_bytes("dag", "import", "--stats", data=shelf("dag", "export", mine))
    assert f"{mine}\tsuccess" in told.decode()


async def test_an_archive_of_version_2(kubo, shelf, tmp_path: Path) -> None:
    """Made by hand, and taken by both."""
    theirs = await kubo()
    cid = shelf.text("add", "-Q", __file__)
    inner = shelf("dag", "export", cid)
    numbers = b"".join(number.to_bytes(8, "little") for number in (51, len(inner), 0))
    data = bytes.fromhex("0aa16776657273696f6e02") + bytes(16) + numbers + inner
    assert f"{cid}\tsuccess" in (await theirs.cli_bytes("dag", "import", data=data)).decode()
    assert shelf.text("dag", "import", input=data) == f"pinned root {cid}"


@pytest.mark.parametrize("codec", ["dag-cbor", "dag-json"])
async def test_the_same_cids_and_texts_for_data(kubo, shelf, codec: str, tmp_path: Path) -> None:
    theirs = await kubo()
    paths = []
    for number, document in enumerate(DOCUMENTS):
        paths.append(tmp_path / f"{number:02}.json")
        paths[-1].write_text(document)
    words = ["dag", "put", "--store-codec", codec, *map(str, paths)]
    cids = (await theirs.cli_bytes(*words)).decode().split()
    assert shelf.text(*words).split() == cids
    for cid in cids:
        assert shelf("dag", "get", cid) == await theirs.cli_bytes("dag", "get", cid)
        assert shelf("block", "get", cid) == await theirs.cli_bytes("block", "get", cid)


async def test_data_through_kubos_command_line(ours) -> None:
    cid = (await ours("dag", "put", data=b'{"a":[{"b":7}]}')).strip()
    assert dag_json.decode((await ours("dag", "get", f"{cid}/a/0")).encode()) == {"b": 7}
    resolved = json.loads(await ours("dag", "resolve", "--enc=json", f"{cid}/a/0/b"))
    assert resolved == {"Cid": {"/": cid}, "RemPath": "/a/0/b"}


async def test_pins_and_collections_through_kubos_command_line(ours, tree: Path) -> None:
    cid = (await ours("add", "-rQ", "--pin=false", str(tree))).strip()
    assert await ours("pin", "add", "--name=mine", cid) == f"pinned {cid} recursively\n"
    assert f"{cid} recursive mine" in await ours("pin", "ls", "--names", "--type=recursive")
    assert await ours("pin", "ls", "--quiet", "--type=recursive") == f"{cid}\n"
    assert (await ours("pin", "verify", "--verbose")).strip().endswith(f"{cid} ok")
    assert await ours("repo", "gc", "-q") == ""
    assert "all blocks validated" in await ours("repo", "verify")
    (tree / "new").write_text("new")
    new = (await ours("add", "-rQ", "--pin=false", str(tree))).strip()
    assert await ours("pin", "update", cid, new) == f"updated {cid} to {new}\n"
    assert (await ours("repo", "gc", "-q")).split()
    assert await ours("pin", "rm", new) == f"unpinned {new}\n"


async def test_a_tree_that_only_kubo_has_is_pinned(kubo, shelf, tree: Path) -> None:
    theirs = await kubo()
    cid = (await theirs.cli_bytes("add", "-rQ", str(tree))).decode().strip()
    with shelf.running():
        shelf("swarm", "connect", theirs.addresses[0])
        assert shelf.text("pin", "add", cid) == f"pinned {cid} recursively"
        assert shelf("--offline", "cat", f"{cid}/big") == (tree / "big").read_bytes()
        assert shelf.text("pin", "verify") == ""
