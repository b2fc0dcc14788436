"""Kubo's own command line handles our pins, and we pin what only a Kubo has."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import trio
from peer_process import PeerFailed

Ipfs = Callable[..., Awaitable[str]]


@pytest.fixture
async def ours(ipfs: Callable[..., Awaitable[bytes]], shelf: Any) -> AsyncIterator[Ipfs]:
    """Runs `ipfs --api OURS …`."""
    with shelf.running():

        async def run(*words: str) -> str:
            return (await ipfs("--api", shelf.api, *words)).decode().rstrip("\n")

        yield run


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    (folder / "inner").mkdir(parents=True)
    for number in range(20):
        (folder / f"{number}.txt").write_text(f"file {number}")
    (folder / "inner" / "big").write_bytes(random.Random(5).randbytes(3_000_000))
    return folder


async def test_pins_from_kubos_command_line(ours: Ipfs, shelf: Any, tree: Path) -> None:
    cid = shelf.text("add", "-r", "-Q", "--pin=false", tree)
    assert await ours("pin", "add", "--name", "trip", cid) == f"pinned {cid} recursively"
    assert await ours("pin", "ls", "--names", "-t", "recursive") == f"{cid} recursive trip"
    below = shelf.text("refs", "-r", "-u", cid).splitlines()
    assert sorted((await ours("pin", "ls", "-q")).splitlines()) == sorted([cid, *below])
    assert sorted((await ours("pin", "ls", "-q", "-s", "-t", "indirect")).splitlines()) == sorted(below)
    assert await ours("pin", "ls", below[0]) == f"{below[0]} indirect through {cid}"
    told = json.loads(await ours("--enc=json", "pin", "ls", cid))
    assert told["Keys"][cid]["Type"] == "recursive"
    with pytest.raises(PeerFailed, match=f"pinned indirectly, under {cid}"):
        await ours("pin", "rm", below[0])
    assert await ours("pin", "rm", cid) == f"unpinned {cid}"
    with pytest.raises(PeerFailed, match="is not pinned"):
        await ours("pin", "ls", cid)


async def test_direct_pins_from_kubos_command_line(ours: Ipfs, shelf: Any, tree: Path) -> None:
    cid = shelf.text("add", "-r", "-Q", "--pin=false", tree)
    assert await ours("pin", "add", "--recursive=false", cid) == f"pinned {cid} directly"
    assert await ours("pin", "ls", cid) == f"{cid} direct"
    assert await ours("pin", "add", cid) == f"pinned {cid} recursively"
    with pytest.raises(PeerFailed, match="pinned recursively already"):
        await ours("pin", "add", "--recursive=false", cid)
    with pytest.raises(PeerFailed, match="pinned recursively"):
        await ours("pin", "rm", "--recursive=false", cid)


async def test_progress_is_shown_by_kubos_command_line(ours: Ipfs, shelf: Any, tree: Path) -> None:
    cid = shelf.text("add", "-r", "-Q", "--pin=false", tree)
    assert f"pinned {cid} recursively" in await ours("pin", "add", "--progress", cid)


async def test_updates_and_verification_from_kubos_command_line(ours: Ipfs, shelf: Any, tree: Path) -> None:
    old = shelf.text("add", "-r", "-Q", "--pin=false", tree)
    await ours("pin", "add", "--name", "site", old)
    (tree / "new").write_text("new")
    new = shelf.text("add", "-r", "-Q", "--pin=false", tree)
    assert await ours("pin", "update", old, new) == f"updated {old} to {new}"
    assert await ours("pin", "ls", "--names", "-t", "recursive") == f"{new} recursive site"
    assert await ours("pin", "verify") == ""
    assert await ours("pin", "verify", "--verbose") == f"{new} ok"


@pytest.mark.parametrize("profile", ["legacy-cid-v0", "unixfs-v1-2025"])
async def test_a_tree_that_only_a_kubo_has_is_pinned_whole(
    kubo: Callable[..., Awaitable[Any]], shelf: Any, tree: Path, profile: str
) -> None:
    theirs = await kubo(profile=profile)
    cid = (await theirs.cli("add", "-r", "-Q", str(tree))).strip()
    with shelf.running():
        run = trio.to_thread.run_sync
        await run(shelf, "swarm", "connect", theirs.address)
        assert await run(shelf.text, "pin", "add", cid) == f"pinned {cid} recursively"
        theirs.stop()
        assert await run(shelf.text, "pin", "verify", "-v") == f"{cid} ok"
        await run(shelf, "repo", "gc")
    for path in (path for path in tree.rglob("*") if path.is_file()):
        assert shelf("--offline", "cat", f"{cid}/{path.relative_to(tree)}") == path.read_bytes()
