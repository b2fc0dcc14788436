"""Files between Kubo and the installed program: both directions, both profiles, both secure channels."""

import hashlib
import random
from pathlib import Path

import pytest

MIB = 1 << 20
SIZES = [0, 1, MIB, MIB + 1, 100 * MIB]


def make_file(path: Path, size: int, seed: str) -> Path:
    with path.open("wb") as file:
        rng = random.Random(seed)
        while size:
            file.write(rng.randbytes(min(size, MIB)))
            size -= min(size, MIB)
    return path


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def connect(dialer: str, kubo, shelf) -> None:
    if dialer == "we":
        shelf("swarm", "connect", kubo.address)
    else:
        await kubo.connect(shelf.addresses[0])


@pytest.mark.parametrize("security", ["noise", "tls"])
@pytest.mark.parametrize("profile", ["unixfs-v1-2025", "unixfs-v0-2015"])
@pytest.mark.parametrize("dialer", ["we", "kubo"])
async def test_files_go_both_ways_under_the_same_cids(
    kubo, daemons, tmp_path: Path, security: str, profile: str, dialer: str
) -> None:
    theirs = await kubo(profile=profile, security=[security])
    ours = daemons()
    await connect(dialer, theirs, ours)
    for size in SIZES:
        file = make_file(tmp_path / "theirs", size, f"theirs {size}")
        cid = await theirs.add(file)
        assert ours.text("add", "-Q", "-n", "--profile", profile, file) == cid
        assert sha256(ours("cat", "--timeout", "60s", cid)) == sha256(file.read_bytes())

        file = make_file(tmp_path / "ours", size, f"ours {size}")
        cid = ours.text("add", "-Q", "--profile", profile, file)
        assert await theirs.add(file, "--only-hash") == cid
        if size or profile == "unixfs-v0-2015":  # Kubo never gets an empty raw block over bitswap
            assert sha256(await theirs.cat(cid)) == sha256(file.read_bytes())


async def test_two_of_ours_fetch_from_one_kubo_and_from_each_other(kubo, daemons, tmp_path: Path) -> None:
    theirs = await kubo(profile="unixfs-v1-2025")
    first, second = daemons(), daemons()
    file = make_file(tmp_path / "file", 20 * MIB, "shared")
    cid = await theirs.add(file)
    for node in (first, second):
        node("swarm", "connect", theirs.address)
    reading = [node.start("cat", "--timeout", "60s", cid, stdout=-1) for node in (first, second)]
    for process in reading:
        output, _ = process.communicate(timeout=60)
        assert output == file.read_bytes()

    theirs.stop()
    first("swarm", "connect", second.addresses[0])
    for giver, taker in ((first, second), (second, first)):
        fresh = make_file(tmp_path / "fresh", 5 * MIB + 3, giver.path.name)
        cid = giver.text("add", "-Q", fresh)
        assert taker("cat", "--timeout", "60s", cid) == fresh.read_bytes()


async def test_cat_with_a_peer_needs_no_daemon(kubo, shelf, tmp_path: Path) -> None:
    theirs = await kubo(profile="unixfs-v1-2025")
    file = make_file(tmp_path / "file", 3 * MIB, "no daemon")
    cid = await theirs.add(file)
    assert shelf("cat", "--peer", theirs.address, cid) == file.read_bytes()
    assert shelf("cat", cid) == file.read_bytes(), "what was fetched stays"


@pytest.mark.parametrize("entries", [3, 2000], ids=["a basic directory", "a sharded directory"])
async def test_a_path_into_kubos_directory(kubo, daemons, tmp_path: Path, entries: int) -> None:
    theirs = await kubo(
        configure=lambda config: config["Import"].update(UnixFSHAMTDirectorySizeThreshold="20KiB")
    )
    folder = tmp_path / "folder"
    (folder / "deep").mkdir(parents=True)
    for number in range(entries):
        (folder / f"entry {number}").write_text(f"content {number}")
    (folder / "deep" / "ünïcödé").write_text("found")
    root = await theirs.cli("add", "--quieter", "--recursive", str(folder))
    ours = daemons()
    ours("swarm", "connect", theirs.address)
    assert ours.text("cat", f"/ipfs/{root}/deep/ünïcödé") == "found"
    assert ours.text("cat", f"{root}/entry {entries - 1}") == f"content {entries - 1}"
    assert "no link named 'absent'" in ours.fails("cat", f"{root}/absent")
    assert "directory" in ours.fails("cat", root)


async def test_a_range_fetches_only_the_blocks_that_it_needs(kubo, daemons, tmp_path: Path) -> None:
    theirs = await kubo(profile="unixfs-v1-2025")
    ours = daemons()
    ours("swarm", "connect", theirs.address)
    file = make_file(tmp_path / "file", 20 * MIB, "range")
    cid = await theirs.add(file)
    offset = 7 * MIB + 5
    assert ours("cat", "-o", str(offset), "-l", "10", cid) == file.read_bytes()[offset : offset + 10]
    assert "NumObjects: 2" in ours.text("repo", "stat")


async def test_what_kubo_has_not_ends_at_the_timeout_and_names_who_was_asked(kubo, daemons) -> None:
    theirs = await kubo()
    ours = daemons()
    ours("swarm", "connect", theirs.address)
    absent = "bafkreiaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    error = ours.fails("cat", "--timeout", "1s", absent)
    assert absent in error
    assert theirs.peer_id in error
