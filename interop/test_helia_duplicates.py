"""Helia and we dial each other at once; one connection is left in the end, at both ends."""

from __future__ import annotations

import pytest
from both_dial import both_dial, host_beside, part

from peershelf.protocols.libp2p import keeper

ROUNDS = 4


@pytest.mark.parametrize("ours_first", [True, False], ids=["smaller", "greater"])
async def test_one_connection_is_left(helia, host, eventually, monkeypatch, ours_first):
    monkeypatch.setattr(keeper, "MOP_UP", 1.5)
    node = await helia()
    ours = await host_beside(node.peer_id, host, smaller=ours_first)

    async def one_at_theirs() -> bool:
        return await node.connections(ours.local_peer) == 1

    doubled = 0
    for _ in range(ROUNDS):
        doubled += await both_dial(node, ours)
        await eventually(lambda: len(ours.connections()) == 1)
        await eventually(one_at_theirs)
        assert await ours.ping(node.peer_id) < 5
        assert len(ours.connections()) == 1
        await part(node, ours, eventually)
    assert doubled
