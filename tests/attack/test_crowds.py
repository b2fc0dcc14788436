"""More sockets than there are places; test_proven_peers.py has more peers that have shaken hands."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import trio

MIB = 1 << 20
CROWD = Path(__file__).with_name("tools") / "crowd.py"
MOST_HALF_OPEN = 32
MOST_CONNECTIONS = 96 + MOST_HALF_OPEN


@pytest.mark.parametrize("number", [1_000, pytest.param(10_000, marks=pytest.mark.slow)])
async def test_a_crowd_of_sockets_is_refused_above_the_cap(siege, victim, number):
    """All connect; those above the cap are closed at once: the victim never holds more."""
    command = [sys.executable, str(CROWD), str(victim.port), str(number), str(MOST_HALF_OPEN)]
    async with siege(memory=32 * MIB) as watch:
        await watch.connected.wait()
        done = await trio.run_process(command, capture_stdout=True)
    counts = json.loads(done.stdout)
    assert counts["connected"] == number, counts
    assert counts["refused"] == 0, counts
    assert counts["closed"] >= number - MOST_HALF_OPEN, counts
    assert watch.more_descriptors < MOST_CONNECTIONS, counts
    assert victim.memory < 1 << 30
