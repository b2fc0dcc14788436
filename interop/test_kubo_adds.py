"""Trees are added as Kubo adds them: by our command or by Kubo's, through our daemon or without one."""

import os
import random
from pathlib import Path

import pytest

OPTIONS = [
    (),
    ("-H",),
    ("-w",),
    ("-w", "-H", "--cid-version=0", "--raw-leaves=false"),
    ("--preserve-mode", "--preserve-mtime", "--raw-leaves=false"),
    ("--preserve-mtime", "-w", "-H", "--raw-leaves=false"),
    ("--mode=0640", "--mtime=1600000000", "--mtime-nsecs=5", "--raw-leaves=false"),
    ("--mode=01750", "--preserve-mtime", "-w", "--raw-leaves=false"),
    ("--mtime=-5", "--raw-leaves=false"),
    ("--ignore=*.tmp", "--ignore=skipped"),
    ("--chunker=size-1000", "--max-file-links=3"),
    ("--max-directory-links=4", "--max-hamt-fanout=16"),
    ("--hash=blake3",),
]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Files of many sizes, links, hidden ones, strange names, modes and times."""
    top = tmp_path / "a tree"
    rng = random.Random(1)
    for number in range(40):
        below = top / f"d{number % 4}" / ("deep" * (number % 3) or "x")
        below.mkdir(parents=True, exist_ok=True)
        (below / f"f {number}+é").write_bytes(rng.randbytes(rng.choice((0, 1, 4096, 70_000, 300_000))))
    (top / "empty").mkdir()
    (top / ".hidden").mkdir()
    (top / ".hidden" / "file").write_text("hidden")
    (top / "d1" / ".dot").write_text("dot")
    (top / "large").write_bytes(rng.randbytes(3_000_000))
    (top / os.fsdecode(b"no text \xff")).write_text("bytes")
    (top / "x.tmp").write_text("temporary")
    (top / "d2" / "skipped").mkdir()
    (top / "d2" / "skipped" / "file").write_text("skipped")
    (top / "out").symlink_to("/etc/passwd")
    (top / "d0" / "nowhere").symlink_to("../nowhere")
    for path in sorted(top.rglob("*"), reverse=True):
        if not path.is_symlink():
            path.chmod(rng.choice((0o600, 0o644, 0o4755, 0o1777)) | (0o700 if path.is_dir() else 0))
        age = rng.choice((0, 10**18, 10**18 + 7, -(10**9)))
        os.utime(path, ns=(age, age), follow_symlinks=False)
    return top


@pytest.fixture
def kubos_cids(ipfs, tree: Path):
    """What Kubo makes of the tree by itself."""

    async def add(*options: str, path: Path = tree) -> list[str]:
        if not (tree.parent / "no-repo").exists():
            await ipfs("init", "--empty-repo", "--profile=unixfs-v1-2025")
        printed = await ipfs("add", "-r", "--pin=false", *options, str(path))
        return sorted(entries(printed.decode(errors="replace")))

    return add


def entries(printed: str) -> list[str]:
    """The lines of an add, as far as they are to agree: names that are no text are shown in two ways."""
    return [line.partition("no text")[0].rstrip() for line in printed.splitlines()]


@pytest.mark.parametrize("options", OPTIONS, ids=" ".join)
async def test_every_way_gives_every_entry_the_same_cid(kubos_cids, ipfs, shelf, tree: Path, options) -> None:
    expected = await kubos_cids(*options)
    without = entries(shelf.text("add", "-r", *options, tree))
    assert sorted(without) == expected
    with shelf.running():
        assert entries(shelf.text("add", "-r", *options, tree)) == without
        through = await ipfs("--api", shelf.api, "add", "-r", *options, str(tree))
        assert entries(through.decode(errors="replace")) == without
    assert entries(shelf.text("add", "-rq", *options, tree)) == [line.split()[1] for line in without]
    assert shelf.text("add", "-rQ", *options, tree) == without[-1].split()[1]


async def test_kubo_reads_a_tree_that_we_added(kubo, shelf, tree: Path, tmp_path: Path) -> None:
    other = await kubo()
    cid = shelf.text("add", "-rQ", "-H", "--preserve-mode", "--preserve-mtime", tree)
    with shelf.running():
        await other.connect(shelf.addresses[0])
        await other.cli("get", "-o", str(tmp_path / "got"), cid)
    for path in tree.rglob("*"):
        got = tmp_path / "got" / path.relative_to(tree)
        assert got.is_symlink() == path.is_symlink()
        if path.is_symlink():
            assert got.readlink() == path.readlink()
        else:
            assert got.is_dir() or got.read_bytes() == path.read_bytes()
            assert got.stat().st_mode & 0o777 == path.stat().st_mode & 0o777
