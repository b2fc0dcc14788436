"""The tests that test_kubo_mdns.py runs on a network of their own: nobody here is told of anybody."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial

import trio

from peershelf.node import Node

LOOPBACK = ["/ip4/127.0.0.1/tcp/0"]


def announces(config):
    config["Discovery"]["MDNS"]["Enabled"] = True


@asynccontextmanager
async def our_node(path):
    settings = {"Addresses.Swarm": LOOPBACK, "Discovery.MDNS.Enabled": True}
    async with Node(path, settings=settings) as node:
        yield node


async def test_kubo_and_we_connect(kubo, tmp_path, eventually):
    async with our_node(tmp_path / "ours") as ours:
        node = await kubo(configure=announces)
        await eventually(lambda: node.peer_id in ours.peers(), timeout=20)
        # Each may dial the other at once: for a moment there are two connections then.
        assert set(await node.peers()) == {ours.repo.identity.peer_id}
        cid = await ours.add(b"from the next desk")
        assert await node.cat(str(cid)) == b"from the next desk"


async def test_we_hear_kubo_and_dial_it(kubo, tmp_path, eventually, monkeypatch):
    """We say nothing, so that it can only be we who found the other."""
    monkeypatch.setattr("peershelf.protocols.routing.mdns.encode_txt", lambda *_: b"")
    node = await kubo(configure=announces)
    async with our_node(tmp_path / "ours") as ours:
        await eventually(lambda: node.peer_id in ours.peers(), timeout=20)
        (connection,) = ours.online.host.connections()
        assert connection.direction == "outbound"


async def test_kubo_hears_us_and_dials(kubo, tmp_path, eventually, monkeypatch):
    """We do not listen, so that it can only be Kubo who found the other."""
    monkeypatch.setattr("peershelf.protocols.routing.mdns.Inbox.put", lambda *_: None)
    node = await kubo(configure=announces)
    async with our_node(tmp_path / "ours") as ours:
        await eventually(lambda: node.peer_id in ours.peers(), timeout=20)
        (connection,) = ours.online.host.connections()
        assert connection.direction == "inbound"


async def test_two_of_ours_connect_over_every_interface(tmp_path, eventually):
    async with our_node(tmp_path / "one") as one, our_node(tmp_path / "two") as two:
        await eventually(lambda: two.repo.identity.peer_id in one.peers(), timeout=20)


async def test_without_a_daemon_cat_finds_and_fetches(kubo, new_shelf, tmp_path):
    """And nobody is told of a node that is gone a moment later: it can only be we who dialed."""
    content = tmp_path / "content"
    content.write_bytes(b"from the next desk")
    node = await kubo(configure=announces)
    cid = await node.add(content)
    seeker = new_shelf()
    seeker("config", "set", "Discovery.MDNS.Enabled", "true")
    cat = partial(seeker, "cat", "--timeout", "20s", cid)
    assert await trio.to_thread.run_sync(cat) == b"from the next desk"
