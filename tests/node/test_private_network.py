"""A node whose repo has a swarm.key, or must have one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from peershelf.node import Node, repo
from peershelf.node.config import Config
from peershelf.node.errors import ConfigError
from peershelf.node.private_network import FORCE, generate_key, key_to_use, read_key, within_network
from peershelf.node.public_peers import PUBLIC_BOOTSTRAP_PEERS
from peershelf.protocols.errors import DialFailed
from peershelf.protocols.private import SwarmKey

ALONE = {"Addresses.Swarm": ["/ip4/127.0.0.1/tcp/0"], "Bootstrap": [], "Routing.Type": "none"}
KEY = SwarmKey(bytes(range(32)))
NEIGHBOUR = "/ip4/192.0.2.7/tcp/4001/p2p/12D3KooWDF6DnKoZdnpLtiegUTLguGJtow2RXjxBNQ8uFcB6QvkV"
MOVED = "/ip4/192.0.2.9/tcp/4001/p2p/QmaCpDMGvV2BGHeYERUEnRQAwe3N8SzbUtfsmvsqQLuvuJ"

MakeNode = Callable[..., Node]


@pytest.fixture
def node(tmp_path: Path) -> MakeNode:
    """Makes nodes with repos of their own; with the `content` of a swarm.key, if one is given."""
    made = 0

    def make(content: bytes | None = None, **settings: object) -> Node:
        nonlocal made
        made += 1
        path = tmp_path / f"repo-{made}"
        repo.init(path)
        if content is not None:
            (path / "swarm.key").write_bytes(content)
        return Node(path, settings={**ALONE, **settings})

    return make


async def test_nodes_with_one_key_share_what_they_have(node: MakeNode) -> None:
    data = os.urandom(600_000)
    async with node(KEY.encode()) as giver, node(KEY.encode()) as taker:
        cid = await giver.add(data)
        await taker.connect(giver.addresses()[0])
        assert b"".join([bytes(chunk) async for chunk in taker.cat(cid)]) == data
        assert taker.swarm_key_fingerprint() == KEY.fingerprint


async def test_a_public_node_is_kept_out(node: MakeNode) -> None:
    async with node(KEY.encode()) as private, node() as public:
        assert public.swarm_key_fingerprint() is None
        with pytest.raises(DialFailed):
            await public.connect(private.addresses()[0])
        assert private.peers() == []


@pytest.mark.parametrize("content", [b"", b"no key", KEY.encode()[:-10]])
async def test_a_damaged_key_makes_no_public_node(node: MakeNode, content: bytes) -> None:
    with pytest.raises(ConfigError, match=r"swarm\.key is no key of a private network"):
        async with node(content):
            pytest.fail("the node is online")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_key_that_cannot_be_read_makes_no_public_node(tmp_path: Path) -> None:
    (tmp_path / "swarm.key").touch(mode=0)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_key(tmp_path / "swarm.key")


def test_a_directory_in_its_place_makes_no_public_node(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_key(tmp_path)


async def test_a_node_that_must_be_private_does_not_go_online_without_a_key(
    node: MakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FORCE, "1")
    with pytest.raises(ConfigError, match="LIBP2P_FORCE_PNET=1 forbids"):
        async with node():
            pytest.fail("the node is online")
    async with node(KEY.encode()) as private:
        assert private.addresses()


def test_only_1_forces(tmp_path: Path) -> None:
    """As with Kubo."""
    for value in ("0", "", "true"):
        assert key_to_use(tmp_path / "swarm.key", {FORCE: value}) is None


def test_public_bootstrap_peers_are_left_out_wherever_they_are() -> None:
    listed = [*PUBLIC_BOOTSTRAP_PEERS, NEIGHBOUR, MOVED, "nonsense"]
    assert within_network(Config({"Bootstrap": listed})).strings("Bootstrap") == [NEIGHBOUR, "nonsense"]
    assert within_network(Config({})).strings("Bootstrap") == []


def test_no_router_is_asked() -> None:
    routers = {"Routing.DelegatedRouters": ["https://router.example"]}
    assert within_network(Config(routers)).strings("Routing.DelegatedRouters") == []
    with pytest.raises(ConfigError, match=r"Routing\.Type is delegated"):
        within_network(Config({**routers, "Routing.Type": "delegated"}))


async def test_websocket_is_refused_by_name(node: MakeNode) -> None:
    settings = {
        "Addresses.Swarm": ["/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/tcp/0/ws"],
        "Swarm.Transports.Network.Websocket": True,
    }
    with pytest.raises(ConfigError, match=r"take /ip4/127\.0\.0\.1/tcp/0/ws out of Addresses\.Swarm"):
        async with node(KEY.encode(), **settings):
            pytest.fail("the node is online")


def test_a_new_key_is_whole_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "swarm.key"
    key = generate_key(path)
    assert read_key(path) == key
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["swarm.key"]


def test_a_key_that_is_there_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "swarm.key"
    path.write_bytes(b"anything")
    with pytest.raises(ConfigError, match="already"):
        generate_key(path)
    assert path.read_bytes() == b"anything"
    assert [entry.name for entry in tmp_path.iterdir()] == ["swarm.key"]
