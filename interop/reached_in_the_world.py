"""The tests of test_kubo_reachability.py, run where lo has public addresses and Kubos see us at 45.7.0.1."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from functools import partial
from itertools import pairwise

import pytest
import trio

from peershelf.blockstore.cid import Cid
from peershelf.node import Node
from peershelf.protocols.reachability.case import Standing

PORT = 4001


@pytest.fixture
def in_the_world(kubo):
    """`await in_the_world(n, kind)` starts a Kubo at 45.n.0.1."""

    async def start(number, kind="dhtserver"):
        def configure(config):
            config["Routing"] = {"Type": kind, "DelegatedRouters": []}
            config["Provide"] = {"Enabled": True}
            config["Addresses"]["Swarm"] = [f"/ip4/45.{number}.0.1/tcp/0"]

        return await kubo(configure=configure)

    return start


@pytest.fixture
async def servers(in_the_world):
    """Three Kubos that know one another."""
    nodes = [await in_the_world(number) for number in (1, 2, 3)]
    for one, other in pairwise(nodes):
        await one.connect(other.address)
    return nodes


@pytest.fixture
def ours(tmp_path):
    """`ours(address)` is a node of ours that listens there, with Routing.Type auto."""

    def make(address, **settings):
        fixed = {"Addresses.Swarm": [address], "Bootstrap": [], "Discovery.MDNS.Enabled": False}
        return Node(tmp_path / address.replace("/", "-"), settings={**fixed, **settings})

    return make


def serves_the_world(node):
    return "/ipfs/kad/1.0.0" in node.protocols()


async def in_the_table_of(kubo, node):
    return node.repo.identity.peer_id in await kubo.cli("stats", "dht", "wan")


async def test_a_node_that_is_reached_serves_the_worlds_dht(servers, in_the_world, ours, eventually):
    address = f"/ip4/45.8.0.1/tcp/{PORT}"
    async with ours(address) as node:
        assert not serves_the_world(node)
        for server in servers:
            await node.connect(server.address)
        await eventually(lambda: serves_the_world(node), 60)
        check = next(one for one in node.reachability().checks() if one.address == address)
        assert check.standing is Standing.PUBLIC
        assert {one.peer for one in check.asked} == {server.peer_id for server in servers}
        for server in servers:
            await eventually(partial(in_the_table_of, server, node), 30)
        told = json.loads(await servers[0].cli("id", node.repo.identity.peer_id))
        assert "/ipfs/kad/1.0.0" in told["Protocols"]
        client = await in_the_world(4, "dhtclient")
        await client.connect(servers[0].address)
        cid = (await client.cli_bytes("add", "--quieter", data=b"in the world")).decode().strip()
        await client.cli("routing", "provide", cid)
        world = next(part for part in node.online.routing.parts if "wan" in part.name)
        kept = world._records.get(Cid.parse(cid).multihash, trio.current_time())
        assert [contact.peer for contact in kept] == [client.peer_id]


async def test_a_node_behind_a_nat_that_lets_nobody_in_stays_a_client(servers, ours, eventually):
    async with ours(f"/ip4/10.8.0.1/tcp/{PORT}") as node:
        for server in servers:
            await node.connect(server.address)
        await eventually(lambda: node.reachability().standing is Standing.PRIVATE, 100)
        assert [check.address for check in node.reachability().checks()] == [f"/ip4/45.7.0.1/tcp/{PORT}"]
        assert not serves_the_world(node)
        assert not any("45.7.0.1" in address for address in node.addresses())
        assert not any([await in_the_table_of(server, node) for server in servers])


async def test_of_a_node_on_loopback_only_what_the_user_gave_is_told_and_asked_about(
    servers, ours, eventually
):
    given = "/dns4/node.example/tcp/4001"
    async with ours("/ip4/127.0.0.1/tcp/0", **{"Addresses.AppendAnnounce": [given]}) as node:
        for server in servers:
            await node.connect(server.address)

        async def told():
            return given in await servers[0].cli("id", node.repo.identity.peer_id)

        await eventually(told, 20)
        await eventually(lambda: any(check.asked for check in node.reachability().checks()), 60)
        assert [check.address for check in node.reachability().checks()] == [given]
        assert not serves_the_world(node)


@asynccontextmanager
async def forwarded(public, private):
    """What comes to one address goes on to another, as a NAT with a port mapping has it."""

    async def copy(source, target):
        async for data in source:
            await target.send_all(data)
        await target.send_eof()

    async def forward(inbound):
        try:
            # Not from the NAT's own address: that is how only somebody behind it would come.
            outbound = await trio.open_tcp_stream(private, PORT, local_address="45.6.0.1")
            async with inbound, outbound, trio.open_nursery() as nursery:
                nursery.start_soon(copy, inbound, outbound)
                nursery.start_soon(copy, outbound, inbound)
        except* (OSError, trio.BrokenResourceError, trio.ClosedResourceError):
            pass

    async with trio.open_nursery() as nursery:
        await nursery.start(partial(trio.serve_tcp, forward, PORT, host=public))
        yield
        nursery.cancel_scope.cancel()


async def test_a_mapped_port_is_found_and_told_to_others(servers, in_the_world, ours, eventually):
    mapped = f"/ip4/45.7.0.1/tcp/{PORT}"
    async with forwarded("45.7.0.1", "10.8.0.1"), ours(f"/ip4/10.8.0.1/tcp/{PORT}") as node:
        for server in servers:
            await node.connect(server.address)
        cid = await node.add(b"from behind a NAT")
        await eventually(lambda: serves_the_world(node), 100)
        peer = node.repo.identity.peer_id
        assert f"{mapped}/p2p/{peer}" in node.addresses()
        await eventually(partial(in_the_table_of, servers[0], node), 30)
        # Somebody who has never heard of us finds what we have, and fetches it through the mapped port.
        client = await in_the_world(4, "dhtclient")
        await client.connect(servers[0].address)
        with trio.fail_after(60):
            assert await client.cat(str(cid)) == b"from behind a NAT"


@pytest.mark.parametrize("we_dial", [True, False], ids=["seen there", "seen elsewhere"])
async def test_kubo_finds_out_by_us(in_the_world, ours, eventually, we_dial):
    kubo = await in_the_world(1)
    async with (
        ours("/ip4/45.4.0.1/tcp/0") as a,
        ours("/ip4/45.5.0.1/tcp/0") as b,
        ours("/ip4/45.6.0.1/tcp/0") as c,
    ):
        for node in (a, b, c):
            if we_dial:
                await node.connect(kubo.address)
            else:
                await kubo.connect(node.addresses()[0])

        async def reachable():
            told = json.loads(await kubo.cli("swarm", "addrs", "autonat", "--enc=json"))
            return [f"{address}/p2p/{kubo.peer_id}" for address in told.get("reachable", [])]

        await eventually(reachable, 100)
        assert await reachable() == kubo.addresses
