"""More peers that have shaken hands than there are places.

Sockets are bounded at accept, and connections once more by py-libp2p: this fails only without both.
"""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest

MIB = 1 << 20
MOST_CONNECTIONS = 128
EXTRA = 50


@pytest.fixture(scope="module")
def victim(new_victim):
    """One that never takes a connection for old, so that none is closed to make room.

    How long so many handshakes take depends on how busy the machine is. All come from one address, whose own
    bound is not what is tested here.
    """
    settings = {"Swarm.ConnMgr.GracePeriod": "1h", "Swarm.ConnMgr.MaxPerLocalAddress": "1024"}
    with new_victim(settings) as running:
        yield running


async def test_a_crowd_of_proven_peers_is_refused_above_the_cap(siege, victim, secured_peer):
    taken = refused = 0
    async with siege(memory=32 * MIB) as watch, AsyncExitStack() as stack:
        await watch.connected.wait()
        for _ in range(MOST_CONNECTIONS + EXTRA):
            try:
                await stack.enter_async_context(secured_peer())
                taken += 1
            except Exception:
                refused += 1
        assert len(await victim.peers()) <= MOST_CONNECTIONS
    assert refused >= EXTRA
    assert taken
