"""Delegated routing: a Kubo in the DHT searches for us, over HTTP, and we fetch from whom it finds."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
import trio


def in_the_dht(config: dict[str, Any], kind: str = "dhtserver") -> None:
    config["Routing"] = {"Type": kind, "DelegatedRouters": [], "LoopbackAddressesOnLanDHT": True}
    config["Provide"] = {"Enabled": True, "Strategy": "roots"}


def as_client(config: dict[str, Any]) -> None:
    in_the_dht(config, "dhtclient")


def as_router(config: dict[str, Any]) -> None:
    in_the_dht(config)
    config["Gateway"]["ExposeRoutingAPI"] = True


@pytest.fixture
def content(tmp_path: Path) -> Path:
    path = tmp_path / "content"
    path.write_bytes(random.Random(7).randbytes(300_000))
    return path


@pytest.fixture
def seeker(new_shelf) -> Any:
    """`seeker(router)` makes a repo of ours that asks this router alone."""

    def make(router: Any) -> Any:
        shelf = new_shelf()
        shelf("config", "set", "Routing.Type", "delegated")
        shelf("config", "set", "Routing.DelegatedRouters", json.dumps([router.gateway]))
        return shelf

    return make


async def in_thread(shelf, *words: str) -> bytes:
    return await trio.to_thread.run_sync(lambda: shelf(*words, timeout=60))


async def test_we_find_through_a_router_what_it_finds_in_the_dht(kubo, seeker, content) -> None:
    """The provider is a client of the DHT, and its only peer the router's neighbour."""
    router, between = await kubo(configure=as_router), await kubo(configure=in_the_dht)
    await router.connect(between.address)
    provider = await kubo(configure=as_client)
    await provider.connect(between.address)
    cid = await provider.add(content)
    await provider.cli("routing", "provide", cid)
    shelf = seeker(router)
    with shelf.running():
        assert shelf.text("swarm", "peers") == ""
        providers = await in_thread(shelf, "routing", "findprovs", cid)
        assert providers.decode().split() == [provider.peer_id]
        assert await in_thread(shelf, "cat", "--timeout", "40s", cid) == content.read_bytes()
        assert shelf.text("swarm", "peers").endswith(provider.peer_id)
    without_a_daemon = seeker(router)
    assert await in_thread(without_a_daemon, "cat", "--timeout", "40s", cid) == content.read_bytes()


async def test_a_router_tells_where_a_peer_is(kubo, seeker) -> None:
    router, other = await kubo(configure=as_router), await kubo(configure=in_the_dht)
    await router.connect(other.address)
    shelf = seeker(router)
    with shelf.running():
        where = await in_thread(shelf, "routing", "findpeer", other.peer_id)
        assert other.address.partition("/p2p/")[0] in where.decode().split()


async def test_what_no_router_knows_is_not_found(kubo, seeker) -> None:
    """So that the tests above can fail."""
    router = await kubo(configure=as_router)
    shelf = seeker(router)
    nowhere = "bafkreiemqpndzewx4bioklzfvhtiegsfny5fxuc3nkjk2vmcpjxiammsti"
    with shelf.running():
        told = await trio.to_thread.run_sync(lambda: shelf.fails("cat", "--timeout", "4s", nowhere))
    assert "did not arrive within 4 s" in told
