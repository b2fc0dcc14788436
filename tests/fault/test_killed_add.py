"""kill -9 in the middle of `add`: every CID that was printed must read back byte-exact."""

import os
import random
import signal
from pathlib import Path

import pytest

ROUNDS = int(os.environ.get("PEERSHELF_KILL_ROUNDS", "12"))
FILES = 40


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Files of many sizes, from nothing to a few blocks."""
    rng = random.Random(1)
    paths = []
    for number in range(FILES):
        path = tmp_path / f"file-{number:02}"
        path.write_bytes(rng.randbytes(rng.choice([0, 10, 5000, 1 << 20, 3_500_000])))
        paths.append(path)
    return paths


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_every_printed_cid_survives_a_kill(shelf, files: list[Path], seed: int) -> None:
    rng = random.Random(seed)
    adding = shelf.start("add", "--progress=false", *files, stdout=-1)
    stop_after = rng.randrange(1, FILES)
    printed = [adding.stdout.readline() for _ in range(stop_after)]
    adding.send_signal(signal.SIGKILL)
    with adding:
        printed += adding.stdout.readlines()
    added = [line.decode().split() for line in printed if line.endswith(b"\n")]
    assert added
    expected = b"".join((files[0].parent / name).read_bytes() for _, _, name in added)
    assert shelf("cat", *(cid for _, cid, _ in added)) == expected


def test_what_was_cut_short_can_be_added_again(shelf, files: list[Path]) -> None:
    adding = shelf.start("add", "-q", "--progress=false", *files, stdout=-1)
    with adding:
        first = adding.stdout.readline().decode().strip()
        adding.kill()
    cids = shelf.text("add", "-q", "--progress=false", *files).splitlines()
    assert len(cids) == FILES
    assert cids[0] == first
    assert shelf("cat", cids[-1]) == files[-1].read_bytes()
