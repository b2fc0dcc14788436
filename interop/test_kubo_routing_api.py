"""The routing API that we serve: a Kubo that has no other router finds what only we know of, and names."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import trio

PATH = "/ipfs/bafkreiemqpndzewx4bioklzfvhtiegsfny5fxuc3nkjk2vmcpjxiammsti"


def as_client(config: dict[str, Any]) -> None:
    config["Routing"] = {"Type": "dhtclient", "DelegatedRouters": [], "LoopbackAddressesOnLanDHT": True}
    config["Provide"] = {"Enabled": True, "Strategy": "roots"}


def asking(url: str):
    """A Kubo that asks this router for everything, and nobody else."""

    def configure(config: dict[str, Any]) -> None:
        router = {"Type": "http", "Parameters": {"Endpoint": url}}
        nobody = {"Type": "parallel", "Parameters": {"Routers": [], "Timeout": "1s"}}
        ours, none = {"RouterName": "ours"}, {"RouterName": "nobody"}
        config["Routing"] = {
            "Type": "custom",
            "Routers": {"ours": router, "nobody": nobody},
            "Methods": {
                "find-providers": ours,
                "find-peers": ours,
                "get-ipns": ours,
                "put-ipns": ours,
                "provide": none,
            },
        }
        config["Provide"] = {"Enabled": False}
        config["Ipns"] = {"ResolveCacheSize": 0}

    return configure


@pytest.fixture
def router(new_shelf) -> Any:
    """A repo of ours that serves the DHT on the local network, and the routing API."""
    shelf = new_shelf()
    shelf("config", "set", "Routing.Type", "dhtserver")
    shelf("config", "set", "Addresses.Routing", "/ip4/127.0.0.1/tcp/0")
    return shelf


def url_of(shelf) -> str:
    return f"http://127.0.0.1:{shelf.routing.rpartition('/')[2]}"


async def test_kubo_finds_through_us_a_provider_that_only_we_know_of(kubo, router, tmp_path: Path) -> None:
    content = tmp_path / "content"
    content.write_bytes(random.Random(8).randbytes(300_000))
    with router.running():
        provider, seeker = await kubo(configure=as_client), await kubo(configure=asking(url_of(router)))
        await provider.connect(router.addresses[0])
        cid = await provider.add(content)
        await provider.cli("routing", "provide", cid)
        assert await seeker.peers() == []
        assert (await seeker.cli("routing", "findprovs", cid)).split() == [provider.peer_id]
        assert await seeker.cli("routing", "findprovs", PATH.removeprefix("/ipfs/")) == ""
        with trio.fail_after(40):
            assert await seeker.cat(cid) == content.read_bytes()


async def test_kubo_publishes_and_resolves_a_name_through_us(kubo, router, new_shelf) -> None:
    """Another server of the DHT takes the record."""
    between = new_shelf()
    between("config", "set", "Routing.Type", "dhtserver")
    with router.running(), between.running():
        router("swarm", "connect", between.addresses[0])
        publisher, seeker = [await kubo(configure=asking(url_of(router))) for _ in range(2)]
        await publisher.cli("name", "publish", "--resolve=false", PATH)
        name = f"/ipns/{publisher.peer_id}"
        assert await seeker.cli("name", "resolve", "--nocache", name) == PATH
        assert PATH.encode() in await trio.to_thread.run_sync(lambda: between("routing", "get", name))
