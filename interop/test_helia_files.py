"""Files between Helia and the installed program."""

import hashlib
import random
from pathlib import Path

import pytest

SIZE = 32 << 20


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(random.Random(7).randbytes(SIZE))
    return path


@pytest.mark.parametrize("dialer", ["we", "helia"])
async def test_files_go_both_ways(helia, daemons, file: Path, tmp_path: Path, dialer: str) -> None:
    theirs = await helia()
    ours = daemons()
    if dialer == "we":
        ours("swarm", "connect", theirs.address)
    else:
        await theirs.connect(ours.addresses[0])

    cid = await theirs.add(file)
    assert ours("cat", "--timeout", "60s", cid) == file.read_bytes()

    fresh = tmp_path / "fresh"
    fresh.write_bytes(file.read_bytes()[::-1])
    cid = ours.text("add", "-Q", fresh)
    digest = await theirs.fetch(cid, tmp_path / "fetched")
    assert digest == hashlib.sha256(fresh.read_bytes()).hexdigest()
