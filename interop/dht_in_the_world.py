"""The tests that test_kubo_world.py runs where lo has public addresses: only the world's DHT works there."""

from __future__ import annotations

from itertools import count, pairwise

import pytest
import trio

from peershelf.node import Node


@pytest.fixture
def in_the_world(kubo):
    """`await in_the_world(kind)` starts a Kubo at the next public address."""
    numbers = count(1)

    async def start(kind):
        address = f"/ip4/45.{next(numbers)}.0.1/tcp/0"

        def configure(config):
            config["Routing"] = {"Type": kind, "DelegatedRouters": []}
            config["Provide"] = {"Enabled": True, "Strategy": "roots"}
            config["Addresses"]["Swarm"] = [address]

        return await kubo(configure=configure)

    return start


@pytest.fixture
def ours(tmp_path):
    """`ours()` is a node of ours, a client of the DHT."""

    def make():
        settings = {
            "Addresses.Swarm": ["/ip4/45.8.0.1/tcp/0"],
            "Bootstrap": [],
            "Discovery.MDNS.Enabled": False,
            "Routing.Type": "dhtclient",
        }
        return Node(tmp_path / "ours", settings=settings)

    return make


async def servers(in_the_world):
    nodes = [await in_the_world("dhtserver") for _ in range(3)]
    for one, other in pairwise(nodes):
        await one.connect(other.address)
    return nodes


async def test_each_finds_what_the_other_provides(in_the_world, ours):
    between = await servers(in_the_world)
    theirs = await in_the_world("dhtclient")
    await theirs.connect(between[0].address)
    async with ours() as node:
        await node.connect(between[-1].address)
        mine = await node.add(b"said to the world")
        path = node.repo.path / "hello"
        path.write_bytes(b"heard in the world")
        their_cid = await theirs.add(path)
        await theirs.cli("routing", "provide", their_cid)
        with trio.fail_after(60):
            assert await theirs.cat(str(mine)) == b"said to the world"
        await node.disconnect(theirs.peer_id)
        with trio.fail_after(60):
            received = b"".join([bytes(piece) async for piece in node.cat(their_cid)])
        assert received == b"heard in the world"
        world = next(part for part in node.online.routing.parts if "wan" in part.name)
        near = next(part for part in node.online.routing.parts if "lan" in part.name)
        assert len(world.table) >= 2
        assert len(near.table) == 0
