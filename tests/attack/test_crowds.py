"""More strangers than there are places."""

from __future__ import annotations

import json
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import trio

MIB = 1 << 20
CROWD = Path(__file__).with_name("tools") / "crowd.py"
MOST_HALF_OPEN = 32
MOST_CONNECTIONS = 96 + MOST_HALF_OPEN


@pytest.mark.parametrize("number", [1_000, pytest.param(10_000, marks=pytest.mark.slow)])
async def test_a_crowd_of_sockets_is_refused_above_the_cap(siege, victim, number):
    """All connect; those above the cap are closed."""
    command = [sys.executable, str(CROWD), str(victim.port), str(number), str(MOST_HALF_OPEN)]
    async with siege(memory=32 * MIB) as watch:
        await watch.connected.wait()
        done = await trio.run_process(command, capture_stdout=True)
    counts = json.loads(done.stdout)
    assert counts["connected"] == number, counts
    assert counts["refused"] == 0, counts
    assert counts["closed"] >= number - MOST_HALF_OPEN, counts
    assert victim.memory < 1 << 30


async def test_a_crowd_of_proven_peers_is_refused_above_the_cap(siege, victim, secured_peer):
    taken = refused = 0
    async with siege(memory=32 * MIB) as watch, AsyncExitStack() as stack:
        await watch.connected.wait()
        for _ in range(MOST_CONNECTIONS + 50):
            try:
                await stack.enter_async_context(secured_peer())
                taken += 1
            except Exception:
                refused += 1
        assert len(await victim.peers()) <= MOST_CONNECTIONS
    # On a machine so busy that this takes longer than the grace period, idle ones make room for newcomers.
    assert refused
    assert taken
