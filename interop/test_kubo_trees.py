"""Folders get the CIDs that Kubo gives them, under both profiles."""

import os
import random
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from peershelf.blockstore.unixfs.importer import Importer
from peershelf.blockstore.unixfs.message import Mtime
from peershelf.blockstore.unixfs.metadata import Metadata
from peershelf.blockstore.unixfs.profiles import PROFILES, Profile, with_options
from peershelf.blockstore.unixfs.tree import TreeImporter

Ipfs = Callable[..., Awaitable[bytes]]
Make = Callable[[Path], None]


def deep(folder: Path) -> None:
    """400 levels, an entry beside each."""
    for level in range(400):
        folder = folder / f"{level}"
        folder.mkdir()
        (folder / "file").write_text(f"{level}")


def wide(folder: Path) -> None:
    """Several thousand entries on one level, and below some of them."""
    for number in range(3000):
        (folder / f"file {number}").write_bytes(number.to_bytes(2, "big") * (number % 7))
    for number in range(300):
        (folder / f"folder {number}").mkdir()
        (folder / f"folder {number}" / "file").write_text(f"{number}")


def sharded(folder: Path, entries: int = 8_000) -> None:
    """More entries than one node is to hold."""
    for number in range(entries):
        (folder / f"file {number} é").write_text(f"{number % 1000}")


def large(folder: Path) -> None:
    """100,000 entries on one level."""
    sharded(folder, 100_000)


def names(folder: Path) -> None:
    """What a file system takes for a name: other scripts, no text at all, and as much as fits."""
    texts = [
        "größe",
        "gro\u0308ße",
        "漢字",
        "🐟",
        "\u202egpj",
        "a b",
        "'\"\\*",
        "%41",
        "\x1b[31m",
        "\n",
        "-r",
        "...",
    ]
    for name in [*map(os.fsencode, texts), b"\xff\xfe", b"\x80", b"latin-1 \xe9", "ü".encode() * 127 + b"u"]:
        (folder / os.fsdecode(name)).write_bytes(name)
        below = folder / os.fsdecode(b"in " + name[:200])
        below.mkdir()
        (below / ".hidden").write_bytes(b"")


def empty(folder: Path) -> None:
    """Nothing, of every kind."""
    (folder / "file").touch()
    (folder / "folder").mkdir()
    (folder / "folder of nothing" / "a" / "b").mkdir(parents=True)


def links(folder: Path) -> None:
    """Symbolic links that lead inside, outside, nowhere and to themselves."""
    (folder / "below").mkdir()
    (folder / "file").write_text("content")
    targets = ["file", "below", "..", "/", "/etc/passwd", "nowhere", "loop", "größe 漢", "a//b/./c/"]
    for number, target in enumerate(targets):
        (folder / f"link {number}").symlink_to(target)
    (folder / "loop").symlink_to("loop")
    (folder / "bytes").symlink_to(os.fsdecode(b"no text \xff"))


def chunks(folder: Path) -> None:
    """Files of one chunk, of several and of more than one level, under either profile."""
    for size in (1, 262_144, 262_145, 1_048_576, 1_048_577, 50_000_000):
        (folder / f"{size}").write_bytes(random.Random(size).randbytes(1000) * (size // 1000 + 1))
        os.truncate(folder / f"{size}", size)


def mixed(seed: int) -> Make:
    """A tree of about a thousand entries of all kinds, modes and times."""

    def make(folder: Path) -> None:
        rng = random.Random(seed)
        folders = [folder]
        for number in range(1000):
            path = (
                rng.choice(folders) / f"{''.join(rng.choices('abcäß漢🐟 ._', k=rng.randint(1, 20)))}{number}"
            )
            match rng.randrange(6):
                case 0:
                    path.mkdir()
                    folders.append(path)
                case 1:
                    path.symlink_to("x" * rng.randint(1, 300))
                case _:
                    path.write_bytes(rng.randbytes(rng.choice((0, 1, 100, 10_000))))

    return make


TREES = [
    *(pytest.param(make, id=make.__name__) for make in (deep, wide, sharded, names, empty, links, chunks)),
    *(pytest.param(mixed(seed), id=f"mixed {seed}") for seed in range(4)),
]
TIME_FOR_LARGE = pytest.mark.timeout(300)
"""A hundred thousand files are made, read twice and removed; beside other tests that takes over a minute."""
LARGE = pytest.param(large, id="large", marks=[pytest.mark.slow, TIME_FOR_LARGE])


def shuffle_metadata(folder: Path) -> None:
    """Give the folder and all below it modes that let us read them, and times of this and other ages."""
    rng = random.Random("metadata")
    for path in [*sorted(folder.rglob("*"), reverse=True), folder]:
        if not path.is_symlink():
            least = 0o700 if path.is_dir() else 0o400
            path.chmod(least | rng.choice((0, 0o7777, 0o1000, 0o2755, 0o4711, rng.randrange(0o10000))))
        age = rng.choice(
            (0, -1, 10**9, -(10**9), rng.randrange(-(2**31), 2**33) * 10**9, rng.getrandbits(62))
        )
        os.utime(path, ns=(age, age), follow_symlinks=False)


def our_cid(root: Path, profile: Profile, *, mode: bool = False, mtime: bool = False) -> str:
    """Return what we make of a folder on disk."""
    tree = TreeImporter(lambda _: None, profile)
    for path in [root, *root.rglob("*")]:
        names = tuple(os.fsencode(name) for name in path.relative_to(root).parts)
        status = path.lstat()
        metadata = Metadata(
            stat.S_IMODE(status.st_mode) if mode else None, Mtime.of(status.st_mtime_ns) if mtime else None
        )
        if path.is_symlink():
            target = os.readlink(path)  # noqa: PTH115 (a Path would tidy it up)
            tree.add_symlink(names, os.fsencode(target), metadata)
        elif path.is_dir():
            tree.add_directory(names, metadata)
        else:
            with Importer(lambda _: None, profile, metadata=metadata) as importer:
                importer.write(path.read_bytes())
                tree.add_file(names, importer.finish())
    *_, (_, imported) = tree.finish()
    return str(imported.cid)


async def kubos_cid(ipfs: Ipfs, folder: Path, *options: str) -> str:
    return (await ipfs("add", "-r", "-H", "-Q", *options, str(folder))).decode().strip()


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("make", [*TREES, LARGE])
async def test_a_tree_gets_the_same_cid(ipfs: Ipfs, tmp_path: Path, profile: str, make: Make) -> None:
    await ipfs("init", "--empty-repo", f"--profile={profile}")
    (tmp_path / "tree").mkdir()
    make(tmp_path / "tree")
    expected = await kubos_cid(ipfs, tmp_path / "tree", "--only-hash")
    assert our_cid(tmp_path / "tree", PROFILES[profile]) == expected


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("make", TREES)
async def test_modes_and_times_are_kept_the_same_way(
    ipfs: Ipfs, tmp_path: Path, profile: str, make: Make
) -> None:
    await ipfs("init", "--empty-repo", f"--profile={profile}")
    tree = tmp_path / "tree"
    tree.mkdir()
    make(tree)
    shuffle_metadata(tree)
    # Kubo wants to be told where the profile says otherwise, and cannot only hash.
    options = ["--pin=false", "--raw-leaves=false"]
    for keep in ({"mode": True}, {"mtime": True}, {"mode": True, "mtime": True}):
        preserve = [f"--preserve-{name}" for name in keep]
        expected = await kubos_cid(ipfs, tree, *options, *preserve)
        assert our_cid(tree, PROFILES[profile], **keep) == expected


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(("most", "fanout"), [(1, 8), (2999, 16), (2999, 1024), (3000, 64), (0, 64)])
async def test_directories_are_sharded_alike(
    ipfs: Ipfs, tmp_path: Path, profile: str, most: int, fanout: int
) -> None:
    await ipfs("init", "--empty-repo", f"--profile={profile}")
    tree = tmp_path / "tree"
    tree.mkdir()
    for number in range(3000):
        (tree / f"{number}").write_text(f"{number}")
    # Only hashing, Kubo would leave these options out of account for the root.
    options = ["--pin=false", f"--max-directory-links={most}", f"--max-hamt-fanout={fanout}"]
    expected = await kubos_cid(ipfs, tree, *options)
    ours = with_options(PROFILES[profile], max_directory_links=most, hamt_fanout=fanout)
    assert our_cid(tree, ours) == expected


@pytest.mark.slow
@TIME_FOR_LARGE
async def test_a_hundred_thousand_entries_in_the_smallest_shards(ipfs: Ipfs, tmp_path: Path) -> None:
    await ipfs("init", "--empty-repo", "--profile=unixfs-v1-2025")
    tree = tmp_path / "tree"
    tree.mkdir()
    large(tree)
    expected = await kubos_cid(ipfs, tree, "--pin=false", "--max-directory-links=1", "--max-hamt-fanout=8")
    ours = with_options(PROFILES["unixfs-v1-2025"], max_directory_links=1, hamt_fanout=8)
    assert our_cid(tree, ours) == expected
