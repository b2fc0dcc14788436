"""Kubo and we dial each other at once. It keeps every connection; we see to it that one is left."""

from __future__ import annotations

import random

import pytest
import trio
from both_dial import both_dial, host_beside, part

from peershelf.protocols.libp2p import keeper


class Journal:
    """Counts who came and who left."""

    def __init__(self):
        self.entries = []

    def peer_connected(self, peer):
        self.entries.append("+")

    def peer_disconnected(self, peer):
        self.entries.append("-")


@pytest.mark.parametrize("ours_first", [True, False], ids=["smaller", "greater"])
async def test_one_connection_is_left_and_nothing_flaps(kubo, host, eventually, monkeypatch, ours_first):
    monkeypatch.setattr(keeper, "MOP_UP", 1.5)
    node, journal = await kubo(), Journal()
    ours = await host_beside(node.peer_id, host, smaller=ours_first)
    ours.listen_to_peers(journal)
    doubled = 0
    for round_number in range(1, 4):
        doubled += await both_dial(node, ours)
        await eventually(lambda: len(ours.connections()) == 1)
        assert (await node.cli("swarm", "peers", "-v")).count(ours.local_peer) == 1
        assert await ours.ping(node.peer_id) < 5
        assert journal.entries == ["+", "-"] * (round_number - 1) + ["+"]
        await part(node, ours, eventually)
    assert doubled


async def test_a_file_crosses_while_the_surplus_connection_goes(kubo, tmp_path):
    from peershelf.node import Node

    node = await kubo()
    data = random.Random(12).randbytes(30_000_000)
    (tmp_path / "file").write_bytes(data)
    cid = await node.add(tmp_path / "file")
    async with Node(tmp_path / "repo", settings={"Addresses.Swarm": ["/ip4/127.0.0.1/tcp/0"]}) as ours:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(node.connect, ours.addresses()[0])
            nursery.start_soon(ours.connect, node.address)
        assert b"".join([bytes(chunk) async for chunk in ours.cat(cid)]) == data
