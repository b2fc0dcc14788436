"""Names' records in a DHT with Kubo on loopback: gotten, put and kept, in both directions.

Who publishes and who seeks are clients of the DHT, connected to different servers and not to each other.
"""

from __future__ import annotations

import base64
import json
from itertools import pairwise
from typing import Any

import pytest
import trio
from peer_process import PeerFailed

PATH = "/ipfs/bafkreiemqpndzewx4bioklzfvhtiegsfny5fxuc3nkjk2vmcpjxiammsti"
OLDER = "/ipfs/bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"


def in_the_dht(config: dict[str, Any], kind: str = "dhtserver") -> None:
    config["Routing"] = {"Type": kind, "DelegatedRouters": [], "LoopbackAddressesOnLanDHT": True}
    config["Ipns"] = {"ResolveCacheSize": 0, "UsePubsub": False}


def as_client(config: dict[str, Any]) -> None:
    in_the_dht(config, "dhtclient")


@pytest.fixture
def ours(new_shelf) -> Any:
    """`ours(kind)` makes a repo of ours that takes part in the DHT."""

    def make(kind: str) -> Any:
        shelf = new_shelf()
        shelf("config", "set", "Routing.Type", kind)
        return shelf

    return make


async def publish(kubo, path: str = PATH, *options: str) -> str:
    """Have Kubo publish a path under its own name, or under that of a key; returns the name."""
    words = await kubo.cli("name", "publish", "--resolve=false", *options, path)
    return words.split()[2].removesuffix(":")


async def get(shelf, name: str, *options: str) -> bytes:
    return await trio.to_thread.run_sync(
        lambda: shelf(*options, "routing", "get", f"/ipns/{name}", timeout=60)
    )


async def put(shelf, name: str, record: bytes) -> str:
    words = ("routing", "put", f"/ipns/{name}", "-")
    return (await trio.to_thread.run_sync(lambda: shelf(*words, input=record, timeout=60))).decode().strip()


async def resolve(kubo, name: str) -> str:
    return await kubo.cli("name", "resolve", "--nocache", "--dht-timeout=20s", f"/ipns/{name}")


@pytest.fixture
def servers(kubo):
    """`await servers(count)` starts Kubo's DHT servers, each of which was told of the one before."""

    async def start(count: int) -> list[Any]:
        nodes = [await kubo(configure=in_the_dht) for _ in range(count)]
        for one, other in pairwise(nodes):
            await one.connect(other.address)
        return nodes

    return start


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
async def test_we_get_what_kubo_published(kubo, servers, ours, kind) -> None:
    between = await servers(2)
    publisher = await kubo(configure=as_client)
    await publisher.connect(between[0].address)
    await publisher.cli("key", "gen", f"--type={kind}", "ours")
    name = await publish(publisher, PATH, "--key=ours")
    seeker = ours("dhtclient")
    with seeker.running():
        seeker("swarm", "connect", between[1].address)
        assert publisher.peer_id not in seeker.text("swarm", "peers")
        record = await get(seeker, name)
        assert record == await publisher.cli_bytes("routing", "get", f"/ipns/{name}")
        assert PATH.encode() in record
        event = json.loads(await get(seeker, name, "--json"))
        assert base64.b64decode(event["Extra"]) == record
        assert event["Type"] == 5


async def test_kubo_resolves_what_we_put(kubo, servers, ours) -> None:
    """The record comes from a Kubo that is alone, and reaches the others through us."""
    alone = await kubo(configure=as_client)
    name = await publish(alone, PATH, "--allow-offline")
    record = await alone.cli_bytes("routing", "get", f"/ipns/{name}")
    between = await servers(2)
    putter, seeker = ours("dhtclient"), await kubo(configure=as_client)
    await seeker.connect(between[1].address)
    with pytest.raises(PeerFailed):
        await resolve(seeker, name)
    with putter.running():
        putter("swarm", "connect", between[0].address)
        assert await put(putter, name, record) == alone.peer_id
        assert await resolve(seeker, name) == PATH


async def test_kubo_stores_on_our_server_and_reads_from_it(kubo, ours) -> None:
    publisher, seeker, between = (
        await kubo(configure=as_client),
        await kubo(configure=as_client),
        ours("dhtserver"),
    )
    with between.running():
        await publisher.connect(between.addresses[0])
        name = await publish(publisher)
        publisher.stop()
        await seeker.connect(between.addresses[0])
        assert await resolve(seeker, name) == PATH
        assert PATH.encode() in await get(between, name)


async def test_an_older_record_is_not_put_and_gives_way_to_the_newer(kubo, ours) -> None:
    publisher, seeker, between = await kubo(configure=as_client), ours("dhtclient"), ours("dhtserver")
    with between.running(), seeker.running():
        await publisher.connect(between.addresses[0])
        seeker("swarm", "connect", between.addresses[0])
        name = await publish(publisher, OLDER)
        older = await get(seeker, name)
        await publish(publisher, PATH)
        assert PATH.encode() in await get(seeker, name)
        assert "others have a newer value" in seeker.fails(
            "routing", "put", f"/ipns/{name}", "-", input=older
        )
        forged = older.replace(OLDER.encode(), PATH.encode())
        assert "no valid value" in seeker.fails("routing", "put", f"/ipns/{name}", "-", input=forged)
        assert PATH.encode() in await get(between, name)
