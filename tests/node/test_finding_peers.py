"""A peer of whom only the ID is known is found: here, or with others' help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
import trio

from peershelf.node import Node
from peershelf.node.errors import NodeError, NotConnected, UsageError
from peershelf.node.finding_peers import connect_by_id
from peershelf.node.operations import repo, swarm
from peershelf.node.operations.request import Request
from peershelf.protocols.errors import DialFailed
from peershelf.protocols.libp2p.identify import IDENTIFY
from peershelf.protocols.routing.base import Found, PeerInfo
from peershelf.protocols.transport import PeerId

PEER = PeerId("12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN")
OLD, NEW = "/ip4/192.0.2.1/tcp/4001", "/ip4/192.0.2.2/tcp/4001"


@dataclass
class FakeHost:
    """Reaches the peer at one address."""

    good: str = NEW
    dialed: list[str] = field(default_factory=list)

    async def connect_at(self, peer: PeerId, addresses: Sequence[str]) -> None:
        self.dialed += addresses
        if self.good not in addresses:
            raise DialFailed(f"cannot connect to {peer}")


@dataclass
class FakeRouter:
    """Says where the peer is, and goes on searching."""

    says: tuple[str, ...] = ()
    asked: int = 0

    async def find_peer(self, peer: PeerId, found: Found) -> int:
        self.asked += 1
        found(PeerInfo(peer))
        if self.says:
            found(PeerInfo(peer, self.says))
            await trio.sleep_forever()
        return 1


async def connect(host: FakeHost, known: Sequence[str], router: FakeRouter) -> None:
    await connect_by_id(host, PEER, known, cast(Any, router))


async def test_whoever_is_where_it_was_is_not_searched_for() -> None:
    router = FakeRouter()
    await connect(FakeHost(good=OLD), [OLD], router)
    assert router.asked == 0


async def test_whoever_is_there_no_longer_is_searched_for() -> None:
    host = FakeHost()
    await connect(host, [OLD], FakeRouter(says=(NEW, OLD)))
    assert host.dialed == [OLD, NEW, OLD]


async def test_whoever_was_never_reached_is_dialed_where_others_say() -> None:
    host = FakeHost()
    await connect(host, [], FakeRouter(says=(NEW,)))
    assert host.dialed == [NEW]


async def test_whom_nobody_knows_was_not_found() -> None:
    with pytest.raises(NodeError, match=f"{PEER} was not found: none of 1 that were asked knows"):
        await connect(FakeHost(), [], FakeRouter())


@pytest.mark.parametrize("says", [(), (OLD,)])
async def test_whom_others_know_at_the_same_address_is_dialed_there_once(says: tuple[str, ...]) -> None:
    host = FakeHost()
    with pytest.raises(DialFailed, match=f"cannot connect to {PEER}; no other address was found"):
        await connect(host, [OLD, OLD], FakeRouter(says=says))
    assert host.dialed == [OLD]


def node(path: Path, **settings: Any) -> Node:
    loopback = {"Addresses.Swarm": ["/ip4/127.0.0.1/tcp/0"], "Bootstrap": []}
    return Node(path, settings={**loopback, "Discovery.MDNS.Enabled": False, **settings})


async def test_a_peer_is_connected_to_again_by_its_id(tmp_path: Path) -> None:
    async with node(tmp_path / "a") as first, node(tmp_path / "b") as second:
        name = f"/p2p/{first.repo.identity.peer_id}"
        await second.connect(first.addresses()[0])
        assert await second.connect(name) == first.repo.identity.peer_id, "while it is connected"
        await second.disconnect(first.repo.identity.peer_id)
        answer = await swarm.connect(second, Request(args=(name,)))
        assert answer == {"Strings": [f"connect {first.repo.identity.peer_id} success"]}
        assert second.peers() == [first.repo.identity.peer_id]


async def test_a_ping_connects_to_a_peer_that_it_finds(tmp_path: Path) -> None:
    async with node(tmp_path / "a") as first, node(tmp_path / "b") as second:
        peer = first.repo.identity.peer_id
        await second.connect(first.addresses()[0])
        await second.disconnect(peer)
        for begins in ([f"Looking up peer {peer}.", f"PING {peer}."], [f"PING {peer}."]):
            lines = [line async for line in swarm.ping(second, Request(args=(peer,), options={"count": "1"}))]
            assert [line["Text"] for line in lines[: len(begins)]] == begins
            assert lines[len(begins)]["Time"] > 0


async def test_who_a_peer_is_is_asked_of_one_that_is_found(tmp_path: Path) -> None:
    async with node(tmp_path / "a") as first, node(tmp_path / "b") as second:
        peer = first.repo.identity.peer_id
        await second.connect(first.addresses()[0])
        await second.disconnect(peer)
        with pytest.raises(NotConnected):
            await repo.identify(second, Request(args=(peer,), options={"offline": "true"}))
        told = await repo.identify(second, Request(args=(peer,)))
        assert told == await repo.identify(first, Request())
        # The one that was dialed does not know yet where the other listens, unless it waits to be told.
        other = second.repo.identity.peer_id
        assert (await repo.identify(first, Request(args=(other,))))["Addresses"] == second.addresses()


async def test_a_peer_that_does_not_say_who_it_is_is_shown_with_what_is_known(tmp_path: Path) -> None:
    async with node(tmp_path / "a") as first, node(tmp_path / "b") as second:
        first.online.host.unhandle([IDENTIFY])
        told = await repo.identify(second, Request(args=(first.addresses()[0],)))
        assert told["Addresses"] == first.addresses()
        assert (told["AgentVersion"], told["Protocols"]) == ("", [])


async def test_a_peer_is_remembered_over_a_restart(tmp_path: Path) -> None:
    async with node(tmp_path / "a") as first:
        elsewhere = [f"/ip4/127.0.0.1/tcp/1/p2p/{PEER}"]
        async with node(tmp_path / "b", Bootstrap=elsewhere) as second:
            await second.connect(first.addresses()[0])
        async with node(tmp_path / "b", Bootstrap=elsewhere) as second:
            assert await second.connect(first.repo.identity.peer_id) == first.repo.identity.peer_id


async def in_the_dht_of(node: Node, peer: Node) -> None:
    """Returns once `node` has `peer` in the routing table of the network around it."""
    near = cast(Any, node.online.routing.parts[0])
    with trio.fail_after(20):
        while peer.repo.identity.peer_id not in near.table:  # noqa: ASYNC110 -- there is no event for it
            await trio.sleep(0.02)


async def test_a_friends_friend_is_found_through_the_dht(tmp_path: Path) -> None:
    async with (
        node(tmp_path / "a") as first,
        node(tmp_path / "b") as between,
        node(tmp_path / "c") as third,
    ):
        await between.connect(first.addresses()[0])
        await third.connect(between.addresses()[0])
        await in_the_dht_of(between, first)
        await in_the_dht_of(third, between)
        with trio.fail_after(20):
            await third.connect(first.repo.identity.peer_id)
        assert first.repo.identity.peer_id in third.peers()


@pytest.mark.parametrize("routing", ["auto", "none"])
async def test_a_node_alone_says_that_it_finds_nobody(tmp_path: Path, routing: str) -> None:
    async with node(tmp_path / "a", **{"Routing.Type": routing}) as alone:
        with pytest.raises(NodeError, match="was not found: nobody could be asked"):
            await alone.connect(f"/p2p/{PEER}")
        with pytest.raises(UsageError, match="own peer ID"):
            await alone.connect(alone.repo.identity.peer_id)
