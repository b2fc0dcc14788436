"""Helia and we dial each other at once; one connection is left in the end, at both ends."""

from __future__ import annotations

import pytest
import trio

from peershelf.protocols.libp2p import keeper
from peershelf.protocols.libp2p.duplicates import is_smaller

ROUNDS = 4


@pytest.mark.parametrize("ours_first", [True, False], ids=["smaller", "greater"])
async def test_one_connection_is_left(helia, host, eventually, monkeypatch, ours_first):
    monkeypatch.setattr(keeper, "MOP_UP", 1.5)
    node, ours = await helia(), await host()
    while is_smaller(ours.local_peer, node.peer_id) != ours_first:
        ours = await host()

    async def one_at_theirs() -> bool:
        return await node.connections(ours.local_peer) == 1

    doubled = 0
    for _ in range(ROUNDS):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(node.connect, ours.addresses()[0])
            while not ours._transport._streams:
                await trio.lowlevel.checkpoint()
            nursery.start_soon(ours.connect, node.address)
        doubled += len(ours.connections()) > 1
        await eventually(lambda: len(ours.connections()) == 1)
        await eventually(one_at_theirs)
        assert await ours.ping(node.peer_id) < 5
        assert len(ours.connections()) == 1
        await ours.disconnect(node.peer_id)
        await eventually(lambda: not ours._transport._streams)
    assert doubled
