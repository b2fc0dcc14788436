"""Private networks: with Kubo both ways for whoever has the key, and with nobody for whoever has not."""

from __future__ import annotations

import base64
import json
import random

import pytest
from peer_process import PeerFailed

from peershelf.node import Node
from peershelf.protocols.errors import DialFailed
from peershelf.protocols.libp2p import HostLimits
from peershelf.protocols.private import SwarmKey

ALONE = {"Addresses.Swarm": ["/ip4/127.0.0.1/tcp/0"], "Bootstrap": [], "Routing.Type": "none"}
SECONDS = HostLimits(dial_timeout=3)


@pytest.fixture
def key():
    return SwarmKey.generate()


@pytest.mark.parametrize("security", ["noise", "tls"])
async def test_we_dial_kubo(kubo, host, key, security):
    node, ours = await kubo(security=[security], swarm_key=key.encode()), await host(key=key)
    assert await ours.connect(node.address) == node.peer_id
    assert 0 < await ours.ping(node.peer_id) < 5
    assert await node.peers() == [ours.local_peer]


@pytest.mark.parametrize("security", ["noise", "tls"])
async def test_kubo_dials_us(kubo, host, key, security):
    node, ours = await kubo(security=[security], swarm_key=key.encode()), await host(key=key)
    await node.connect(ours.addresses()[0])
    assert ours.peers() == [node.peer_id]
    assert "Average latency" in await node.cli("ping", "-n", "3", ours.local_peer)


@pytest.mark.parametrize("we_dial", [True, False])
async def test_files_go_both_ways(kubo, key, tmp_path, we_dial):
    node = await kubo(swarm_key=key.encode())
    mine, theirs = (random.Random(seed).randbytes(5_000_000) for seed in (1, 2))
    (tmp_path / "theirs").write_bytes(theirs)
    there = await node.add(tmp_path / "theirs")
    repo = tmp_path / "repo"
    repo.mkdir()
    (repo / "swarm.key").write_bytes(key.encode())
    async with Node(repo, settings=ALONE) as ours:
        here = await ours.add(mine)
        await (ours.connect(node.address) if we_dial else node.connect(ours.addresses()[0]))
        assert await node.cat(str(here)) == mine
        assert b"".join([bytes(chunk) async for chunk in ours.cat(there)]) == theirs


async def test_a_key_of_ours_is_read_by_kubo_and_has_the_same_fingerprint(kubo, shelf, key):
    made = json.loads(shelf("swarm", "genkey", "--json"))
    node = await kubo(swarm_key=(shelf.path / "swarm.key").read_bytes())
    assert f"Swarm key fingerprint: {made['Fingerprint']}\n" in node.log
    with shelf.running():
        shelf("swarm", "connect", node.address)
        assert json.loads(shelf("id", "--json"))["SwarmKeyFingerprint"] == made["Fingerprint"]
        assert await node.peers() == [shelf.addresses[0].rpartition("/")[2]]


@pytest.mark.parametrize("coding", ["base16", "base64", "bin"])
async def test_kubo_and_we_read_every_coding_alike(kubo, host, key, coding):
    coded = {"base16": key.secret.hex().encode(), "base64": base64.b64encode(key.secret), "bin": key.secret}
    text = b"/key/swarm/psk/1.0.0/\r\n/%b/\r\n%b" % (coding.encode(), coded[coding])
    assert SwarmKey.decode(text) == key
    node = await kubo(swarm_key=text)
    assert f"Swarm key fingerprint: {key.fingerprint}\n" in node.log


async def test_kubo_with_another_key_is_not_reached_and_does_not_reach_us(kubo, host, key):
    node = await kubo(swarm_key=SwarmKey.generate().encode())
    ours = await host(key=key, limits=SECONDS)
    with pytest.raises(DialFailed, match="not in this private network"):
        await ours.connect(node.address)
    with pytest.raises(PeerFailed, match="failed to negotiate"):
        await node.connect(ours.addresses()[0])
    assert ours.peers() == await node.peers() == []


async def test_a_public_kubo_is_not_reached_and_does_not_reach_us(kubo, host, key):
    node, ours = await kubo(), await host(key=key, limits=SECONDS)
    with pytest.raises(PeerFailed, match="failed to negotiate"):
        await node.connect(ours.addresses()[0])
    with pytest.raises(DialFailed, match="not in this private network"):
        await ours.connect(node.address)
    assert ours.peers() == await node.peers() == []


async def test_a_public_node_of_ours_and_a_private_kubo_do_not_meet(kubo, host, key):
    node, ours = await kubo(swarm_key=key.encode()), await host(limits=SECONDS)
    with pytest.raises(DialFailed):
        await ours.connect(node.address)
    with pytest.raises(PeerFailed, match="failed to negotiate"):
        await node.connect(ours.addresses()[0])
