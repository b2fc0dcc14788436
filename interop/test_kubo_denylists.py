"""One denylist for Kubo and us gives the same verdicts, and what ours forbids Kubo does not get from us."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import pytest
import trio
from peer_process import PeerFailed

from peershelf.blockstore import multihash
from peershelf.blockstore.bases import encode_base58
from peershelf.blockstore.cid import RAW, Cid

NAMES = ("a", "a2", "b", "sub/c", "sub/d", "é x")


def make_tree(path: Path, seed: str) -> Path:
    (path / "sub").mkdir(parents=True)
    for name in NAMES:
        (path / name).write_text(f"{seed} {name}")
    return path


def base58(cid: str) -> str:
    return encode_base58(Cid.parse(cid).multihash)


def version_1(cid: str) -> str:
    parsed = Cid.parse(cid)
    return str(Cid(1, parsed.codec, parsed.multihash))


def old(text: str) -> str:
    return "//" + hashlib.sha256(text.encode()).hexdigest()


def new(text: str, code: int = multihash.SHA2_256) -> str:
    return "//" + encode_base58(multihash.multihash(code, text.encode()))


def rules(trees: list[str], files: list[str]) -> list[str]:
    """Rules of every form about trees and files."""
    as_raw = [str(Cid(1, RAW, Cid.parse(cid).multihash)) for cid in files]
    return [
        "version: 1",
        "name: for both",
        "---",
        f"/ipfs/{as_raw[0]}  reason=test",
        old(f"{version_1(files[1])}/"),
        old(f"{as_raw[2]}/"),  # of another codec unless this is a raw block
        new(base58(files[3])),
        new(base58(files[4]), multihash.BLAKE3),
        f"/ipfs/{files[5]}",
        f"!/ipfs/{files[5]}",
        f"/ipfs/{trees[0]}",
        f"/ipfs/{version_1(trees[1])}/*",
        f"/ipfs/{trees[2]}/a",
        f"/ipfs/{trees[2]}/%C3%A9%20x",
        f"/ipfs/{trees[3]}/a*",
        f"/ipfs/{trees[3]}/sub/*",
        f"!/ipfs/{trees[3]}/sub/d",
        old(f"{version_1(trees[4])}/a"),
        new(f"{base58(trees[4])}/sub/c"),
        new(f"{base58(trees[4])}/b", multihash.BLAKE3),
        "/ipfs/QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn",
        "not a rule at all",
    ]


@pytest.mark.parametrize("profile", ["unixfs-v1-2025", "unixfs-v0-2015"])
@pytest.mark.timeout(180)
async def test_both_give_the_same_verdicts(kubo, daemons, eventually, tmp_path: Path, profile: str) -> None:
    theirs, ours = await kubo(profile=profile), daemons()
    trees, files = [], []
    for number in range(6):
        tree = make_tree(tmp_path / f"tree-{number}", f"tree {number}")
        trees.append(await theirs.cli("add", "-Q", "-r", str(tree)))
        assert ours.text("add", "-Q", "-r", "--profile", profile, tree) == trees[-1]
        (file := tmp_path / f"file-{number}").write_text(f"file {number}")
        files.append(await theirs.add(file))
        assert ours.text("add", "-Q", "--profile", profile, file) == files[-1]

    theirs.stop()
    text = "".join(f"{rule}\n" for rule in rules(trees, files))
    for repo in (tmp_path / "kubo-0" / "kubo", ours.path):
        (repo / "denylists").mkdir()
        (repo / "denylists" / "both.deny").write_text(text)
    await theirs.start()
    await eventually(lambda: json.loads(ours.text("--json", "denylist", "ls"))["Files"], timeout=10)

    paths = [f"/ipfs/{cid}" for cid in files]
    paths += [f"/ipfs/{tree}/{name}" for tree in trees for name in NAMES]
    kubo_blocks = {path for path in paths if await says_kubo(theirs, path)}
    checked = map(json.loads, ours.text("--json", "denylist", "check", *paths).splitlines())
    assert {record["Path"] for record in checked if record["Blocked"]} == kubo_blocks
    # The specification leaves open whether what lies below a blocked CID can be reached through it. In Kubo
    # it can; here the block itself is not read, whatever for.
    below = {f"/ipfs/{trees[0]}/{name}" for name in NAMES}
    assert {path for path in paths if cat_is_refused(ours, path)} == kubo_blocks | below

    raw_leaves = profile == "unixfs-v1-2025"
    assert len(kubo_blocks) == 4 + raw_leaves + 6 + 2 + 3 + 3


async def says_kubo(kubo, path: str) -> bool:
    """Whether a Kubo that has it refuses to print it."""
    try:
        await kubo.cli("cat", path)
    except PeerFailed as error:
        if "is blocked and cannot be provided" not in str(error):
            raise
        return True
    return False


def cat_is_refused(shelf, path: str) -> bool:
    """The same of our daemon."""
    process = shelf.start("cat", path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == (1 if errors else 0)
    assert not errors or b"is blocked by" in errors
    return bool(errors)


async def test_kubo_does_not_get_from_us_what_our_list_forbids(
    kubo, daemons, eventually, tmp_path: Path
) -> None:
    theirs, ours = await kubo(), daemons()
    (file := tmp_path / "file").write_bytes(b"x" * 300_000)
    cid = ours.text("add", "-Q", file)
    (other := tmp_path / "other").write_bytes(b"free")
    free = ours.text("add", "-Q", other)
    (ours.path / "denylists").mkdir()
    deny = ours.path / "denylists" / "mine.deny"
    deny.write_text(f"{old(cid + '/')}\n")
    await eventually(lambda: json.loads(ours.text("--json", "denylist", "check", cid))["Blocked"], timeout=10)
    await theirs.connect(ours.addresses[0])
    with pytest.raises(PeerFailed, match=r"deadline|timeout|context|not found"):
        await theirs.cli("--timeout", "3s", "block", "get", cid)
    assert await theirs.cat(free) == b"free"
    deny.unlink()
    with trio.fail_after(20):
        assert await theirs.cat(cid) == b"x" * 300_000
