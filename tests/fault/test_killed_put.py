"""kill -9 in the middle of `block put`: what was printed reads back, and is pinned if it was to be."""

from __future__ import annotations

import os
import random
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROUNDS = int(os.environ.get("PEERSHELF_KILL_ROUNDS", "4"))
FILES = 40


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_every_printed_block_survives_a_kill(shelf: Any, tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    files = [tmp_path / f"{number}" for number in range(FILES)]
    for path in files:
        path.write_bytes(rng.randbytes(rng.choice([1, 5000, 1 << 20])))
    pins = ["--pin"] if seed % 2 else []
    putting = shelf.start("block", "put", *pins, *files, stdout=subprocess.PIPE)
    with putting:
        printed = [putting.stdout.readline() for _ in range(rng.randrange(1, FILES))]
        putting.send_signal(signal.SIGKILL)
        printed += putting.stdout.readlines()
    cids = [line.decode().strip() for line in printed if line.endswith(b"\n")]
    assert cids
    assert [shelf("block", "get", cid) for cid in cids] == [path.read_bytes() for path in files[: len(cids)]]
    if pins:
        assert set(cids) <= set(shelf.text("pin", "ls", "-q").split())
    assert shelf.text("repo", "verify").endswith("all sound")
