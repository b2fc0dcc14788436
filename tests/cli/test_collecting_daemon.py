"""A daemon that collects garbage: beside adds, and by itself when its repo comes near to its limit."""

from __future__ import annotations

import random
import subprocess
import time
from itertools import chain
from pathlib import Path
from typing import Any


def write(path: Path, seed: int) -> Path:
    """The first half of each file is the same."""
    path.write_bytes(random.Random(0).randbytes(400_000) + random.Random(seed).randbytes(400_000))
    return path


def test_collections_in_a_loop_beside_three_adds_lose_nothing(shelf: Any, tmp_path: Path) -> None:
    files = [
        [write(tmp_path / f"{adder}-{one}", 10 * adder + one) for one in range(1, 5)] for adder in range(3)
    ]
    options = ("--chunker", "size-10000")
    with shelf.running():
        # What they share is garbage when they begin, so they meet blocks that are about to be removed.
        shelf("add", "-Q", "--pin=false", *options, write(tmp_path / "garbage", 99))
        adds = [shelf.start("add", "-q", *options, *some, stdout=subprocess.PIPE) for some in files]
        shelf("repo", "gc", "--silent")
        while any(add.poll() is None for add in adds):
            shelf("repo", "gc", "--silent")
        printed = [add.communicate()[0].decode().split() for add in adds]
        shelf("repo", "gc", "--silent")
        for cids, some in zip(printed, files, strict=True):
            assert shelf("cat", *cids) == b"".join(path.read_bytes() for path in some)
        assert sorted(shelf.text("pin", "ls", "-q").split()) == sorted(chain(*printed))
        assert len(shelf.text("refs", "local").split()) == 40 + 12 * (40 + 1)


def test_a_repo_over_its_high_water_is_collected_by_itself(shelf: Any, tmp_path: Path) -> None:
    shelf("config", "set", "Datastore.StorageMax", "1MB")
    kept, garbage = write(tmp_path / "kept", 1), write(tmp_path / "garbage", 2)
    with shelf.running():
        cid = shelf.text("add", "-Q", "--chunker", "size-10000", kept)
        shelf("add", "-Q", "--pin=false", "--chunker", "size-10000", garbage)
        needed = {cid, *shelf.text("refs", "-u", cid).split()}
        # It looks every ten seconds, and tells nobody but its log.
        deadline = time.monotonic() + 45
        while len(shelf.text("refs", "local").split()) > len(needed):
            assert time.monotonic() < deadline, "nothing was collected"
            time.sleep(0.5)
        assert shelf("cat", cid) == kept.read_bytes()
