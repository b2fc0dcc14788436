"""The DHT with Kubo on loopback: who provides and who seeks are not connected, and find each other.

Providers and seekers are clients of the DHT, whom nobody has in a routing table: nobody dials them but for a
provider record. The servers between them have none of the content.
"""

from __future__ import annotations

import json
import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import trio

SIZE = 300_000


def in_the_dht(config: dict[str, Any], kind: str = "dhtserver") -> None:
    config["Routing"] = {"Type": kind, "DelegatedRouters": [], "LoopbackAddressesOnLanDHT": True}
    config["Provide"] = {"Enabled": True, "Strategy": "roots"}


def as_client(config: dict[str, Any]) -> None:
    in_the_dht(config, "dhtclient")


@pytest.fixture
def content(tmp_path: Path) -> Path:
    path = tmp_path / "content"
    path.write_bytes(random.Random(6).randbytes(SIZE))
    return path


@pytest.fixture
def ours(new_shelf) -> Any:
    """`ours(kind)` makes a repo of ours that takes part in the DHT."""

    def make(kind: str, **settings: str) -> Any:
        shelf = new_shelf()
        shelf("config", "set", "Routing.Type", kind)
        for key, value in settings.items():
            shelf("config", "set", key.replace("_", "."), value)
        return shelf

    return make


async def servers(kubo, count: int) -> list[Any]:
    """Kubo's DHT servers, each of which was told of the next alone."""
    nodes = [await kubo(configure=in_the_dht) for _ in range(count)]
    for one, other in pairwise(nodes):
        await one.connect(other.address)
    return nodes


async def cat(shelf, cid: str) -> bytes:
    return await trio.to_thread.run_sync(lambda: shelf("cat", "--timeout", "40s", cid, timeout=60))


async def test_we_find_what_kubo_provides(kubo, ours, content) -> None:
    between = await servers(kubo, 3)
    provider = await kubo(configure=as_client)
    await provider.connect(between[0].address)
    cid = await provider.add(content)
    await provider.cli("routing", "provide", cid)
    seeker = ours("dhtclient")
    with seeker.running():
        seeker("swarm", "connect", between[-1].address)
        assert provider.peer_id not in seeker.text("swarm", "peers")
        assert await cat(seeker, cid) == content.read_bytes()
        assert provider.peer_id in seeker.text("swarm", "peers")


async def provided(provider, between, content: Path, *words: str) -> str:
    """Have a daemon of ours add a file, and wait until it says that all is announced."""
    provider("swarm", "connect", between.address)
    return provider.text("add", "-Q", *words, content)


async def test_kubo_finds_what_we_provide(kubo, ours, content, eventually) -> None:
    between = await servers(kubo, 3)
    provider, seeker = ours("dhtclient"), await kubo(configure=as_client)
    with provider.running():
        cid = await provided(provider, between[0], content)
        await seeker.connect(between[-1].address)
        with trio.fail_after(40):
            assert await seeker.cat(cid) == content.read_bytes()
        own = json.loads(provider("--json", "id"))["ID"]
        assert own in await seeker.peers()


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"Provide_Enabled": "false"}, []), ({"Private": "true"}, []), ({}, ["--no-provide"])],
)
async def test_kubo_does_not_find_what_we_do_not_provide(kubo, ours, content, settings, words) -> None:
    """So that the test above can fail."""
    between = await servers(kubo, 3)
    provider, seeker = ours("dhtclient", **settings), await kubo(configure=as_client)
    with provider.running():
        cid = await provided(provider, between[0], content, *words)
        await seeker.connect(between[-1].address)
        with trio.move_on_after(8):
            await seeker.cat(cid)
            pytest.fail("it was found")


async def test_five_of_ours_and_five_of_kubos_in_one_network(kubo, ours, content, tmp_path: Path) -> None:
    between = await servers(kubo, 5)
    shelves = [ours("dhtserver") for _ in range(3)] + [ours("dhtclient") for _ in range(2)]
    *serving, provider, seeker = shelves
    with serving[0].running(), serving[1].running(), serving[2].running():
        for number, shelf in enumerate(serving):
            shelf("swarm", "connect", between[number].address)
        with provider.running(), seeker.running():
            provider("swarm", "connect", serving[0].addresses[0])
            seeker("swarm", "connect", between[4].address)
            theirs = await kubo(configure=as_client)
            await theirs.connect(serving[2].addresses[0])
            other = tmp_path / "other"
            other.write_bytes(content.read_bytes()[::-1])
            cid, reverse = provider.text("add", "-Q", content), await theirs.add(other)
            await theirs.cli("routing", "provide", reverse)
            assert await cat(seeker, cid) == content.read_bytes()
            assert await cat(seeker, reverse) == other.read_bytes()
            with trio.fail_after(40):
                assert await theirs.cat(cid) == content.read_bytes()


async def test_without_a_daemon_cat_finds_and_fetches(kubo, ours, content) -> None:
    """From one bootstrap peer on, which has nothing of it."""
    between = await servers(kubo, 3)
    provider = await kubo(configure=as_client)
    await provider.connect(between[0].address)
    cid = await provider.add(content)
    await provider.cli("routing", "provide", cid)
    seeker = ours("dhtclient", Bootstrap=json.dumps([between[-1].address]))
    assert "no peer was asked" in seeker.fails("--offline", "cat", cid)
    assert await cat(seeker, cid) == content.read_bytes()
    assert seeker("--offline", "cat", cid) == content.read_bytes()
    nowhere = "bafkreiemqpndzewx4bioklzfvhtiegsfny5fxuc3nkjk2vmcpjxiammsti"
    told = await trio.to_thread.run_sync(lambda: seeker.fails("cat", "--timeout", "4s", nowhere))
    assert "did not arrive within 4 s" in told
    assert "; -v says more" in told
    words = ("cat", "-v", "--timeout", "10s", nowhere)
    told = await trio.to_thread.run_sync(lambda: seeker.fails(*words))
    assert "\n  DHT (lan): answered (3)" in told
    assert f"\n  peer {between[-1].peer_id}: " in told
