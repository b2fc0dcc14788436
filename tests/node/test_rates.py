"""Rates of whole programs: two daemons, one of them held back, and what `stats bw` says of it."""

from __future__ import annotations

import json
import random
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

SIZE = 15_000_000
RATE = 5_000_000
BITSWAP = "/ipfs/bitswap/1.2.0"


def bandwidth(shelf: Any, *options: str) -> dict[str, float]:
    record: dict[str, float] = json.loads(shelf.text("stats", "bw", "--json", *options))
    return record


@pytest.mark.parametrize("key", ["Swarm.UploadRate", "Swarm.PeerDownloadRate"])
def test_a_file_takes_as_long_as_the_rate_says(new_shelf, tmp_path: Path, key: str) -> None:
    giver, taker = new_shelf(), new_shelf()
    limited = giver if "Upload" in key else taker
    limited("config", "set", key, "5MB/s")
    limited("config", "set", "Swarm.LimitLocal", "true")
    file = tmp_path / "file"
    file.write_bytes(random.Random(8).randbytes(SIZE))
    with ExitStack() as stack:
        for shelf in (giver, taker):
            stack.enter_context(shelf.running())
        cid = giver.text("add", "-Q", file)
        taker("swarm", "connect", giver.addresses[0])
        start = time.monotonic()
        assert taker("cat", cid) == file.read_bytes()
        took = time.monotonic() - start
        # Too fast is wrong; too slow may be the machine.
        assert 0.95 * SIZE / RATE < took < 3 * SIZE / RATE
        sent, received = bandwidth(giver), bandwidth(taker)
        assert sent["TotalOut"] == pytest.approx(SIZE, rel=0.05)
        assert received["TotalIn"] == pytest.approx(SIZE, rel=0.05)
        assert bandwidth(taker, "-t", BITSWAP)["TotalIn"] == pytest.approx(SIZE, rel=0.05)
        assert bandwidth(taker, "-p", giver.addresses[0])["TotalIn"] == pytest.approx(SIZE, rel=0.05)
        assert "/s" in taker.text("stats", "bw", "--peers").splitlines()[1]
