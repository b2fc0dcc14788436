"""Nodes that find through delegated routers, as their configuration says."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import trio

from peershelf.node import Node
from peershelf.node.errors import ConfigError, NodeError
from peershelf.node.routing import routing_of
from peershelf.node.settings import check
from peershelf.protocols.fake import FakeInternet
from peershelf.protocols.routing.delegated import DelegatedRouter
from peershelf.protocols.routing.kad import Dht
from peershelf.protocols.transport import PeerId

MakeNode = Callable[..., Node]


@pytest.fixture
def node(tmp_path: Path) -> MakeNode:
    made = 0

    def make(**settings: object) -> Node:
        nonlocal made
        made += 1
        alone = {"Addresses.Swarm": ["/ip4/127.0.0.1/tcp/0"], "Bootstrap": [], "Routing.Type": "none"}
        return Node(tmp_path / f"repo-{made}", settings={**alone, **settings})

    return make


def delegated(*urls: str) -> dict[str, object]:
    return {"Routing.Type": "delegated", "Routing.DelegatedRouters": list(urls)}


async def test_what_a_router_knows_is_fetched(node: MakeNode, nursery: trio.Nursery) -> None:
    data = random.Random(1).randbytes(300_000)
    async with node() as giver:
        cid = await giver.add(data)
        address, _, peer = giver.addresses()[0].rpartition("/p2p/")
        record = json.dumps({"Schema": "peer", "ID": peer, "Addrs": [address]}).encode()

        async def answer(stream: trio.SocketStream) -> None:
            request = await stream.receive_some()
            known = str(cid).encode() in request
            status = b"200 OK" if known else b"404 Not Found"
            head = b"HTTP/1.1 %s\r\nContent-Type: application/x-ndjson\r\n\r\n" % status
            await stream.send_all(head + (record + b"\n" if known else b""))
            await stream.aclose()

        (listener,) = await nursery.start(partial(trio.serve_tcp, answer, 0, host="127.0.0.1"))
        url = f"http://127.0.0.1:{listener.socket.getsockname()[1]}"
        with trio.fail_after(20):
            async with node(**delegated(url)) as taker:
                assert [info.peer async for info in taker.find_providers(cid)] == [peer]
                assert b"".join([bytes(piece) async for piece in taker.cat(cid)]) == data
                assert await taker.provide(cid) == 0
                with pytest.raises(NodeError, match="announces nothing"):
                    await taker.provide_stat()


async def test_naming_no_router_is_refused(node: MakeNode) -> None:
    with pytest.raises(ConfigError, match=r"Routing\.DelegatedRouters names nobody"):
        async with node(**delegated()):
            pass


def test_a_daemon_that_could_ask_nobody_says_so(new_shelf) -> None:
    shelf = new_shelf()
    shelf("config", "set", "Routing.Type", "delegated")
    assert "Routing.DelegatedRouters names nobody" in shelf.fails("daemon")


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        ("none", []),
        ("auto", [Dht, Dht, DelegatedRouter]),
        ("dhtclient", [Dht, Dht]),
        ("dhtserver", [Dht, Dht]),
        ("delegated", [DelegatedRouter]),
    ],
)
def test_who_is_asked(kind: str, parts: list[type]) -> None:
    network = FakeInternet().node(PeerId("me"))
    routers = ["https://example.com", "https://example.com"]
    assert [type(part) for part in routing_of(kind, network, routers).parts] == parts


def test_both_networks_share_the_time_for_answers() -> None:
    near, world = routing_of("dhtserver", FakeInternet().node(PeerId("me")), ()).parts
    assert isinstance(near, Dht)
    assert isinstance(world, Dht)
    assert near._serving._pacing is world._serving._pacing


@pytest.mark.parametrize(
    "url",
    [
        "https://router.example",
        "https://router.example/",
        "http://127.0.0.1:8080",
        "http://[::1]:8080/below",
    ],
)
def test_routers_are_named_by_their_urls(url: str) -> None:
    assert check("Routing.DelegatedRouters", [url]) == [url]


@pytest.mark.parametrize(
    "value",
    [
        "https://example.com",
        [7],
        [""],
        ["example.com"],
        ["ftp://example.com"],
        ["https://"],
        ["https://:80"],
        ["https://example.com:port"],
        ["https://example.com:70000"],
        ["https://[::"],
        ["https://user:password@example.com"],
        ["https://example.com?x"],
        ["https://example.com#x"],
        ["https://exam ple.com"],
        ["https://example.com\n"],
        ["https://example.com/routing/v1"],
        ["https://example.com/routing/v1/providers"],
    ],
)
def test_what_names_no_router_is_refused(value: object) -> None:
    with pytest.raises(ConfigError, match=r"Routing\.DelegatedRouters takes a list of URLs"):
        check("Routing.DelegatedRouters", value)
