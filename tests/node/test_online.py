"""Nodes of one program that talk to each other over real sockets."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from peershelf.blockstore.cid import Cid
from peershelf.node import Node
from peershelf.node.errors import TimedOut
from peershelf.node.operations import swarm
from peershelf.node.operations.request import Request
from peershelf.protocols.errors import CannotListen, DialFailed, InvalidAddress
from peershelf.protocols.transport import PeerId

ABSENT = Cid.parse("bafkreiaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
LOOPBACK = {"Addresses.Swarm": ["/ip4/127.0.0.1/tcp/0"], "Bootstrap": []}

MakeNode = Callable[..., Node]


@pytest.fixture
def node(tmp_path: Path) -> MakeNode:
    """Makes nodes with repos of their own, to be entered by the test."""
    made = 0

    def make(**settings: object) -> Node:
        nonlocal made
        made += 1
        return Node(tmp_path / f"repo-{made}", settings={**LOOPBACK, **settings})

    return make


async def read(node: Node, *references: Cid | str, **options: int) -> bytes:
    return b"".join([bytes(chunk) async for chunk in node.cat(*references, **options)])


async def test_a_file_crosses_and_stays(node: MakeNode) -> None:
    async with node() as giver, node() as taker:
        data = random.Random(1).randbytes(5_000_000)
        cid = await giver.add(data)
        await taker.connect(giver.addresses()[0])
        assert await read(taker, cid) == data
        await taker.disconnect(taker.peers()[0])
        assert await read(taker, cid) == data


async def test_many_files_are_one_pipeline(node: MakeNode) -> None:
    """Some of them are here, one is large, and they come in order, many to a message."""
    source = random.Random(2)
    contents = [source.randbytes(3_000_000 if number == 40 else 4_096) for number in range(150)]
    async with node() as giver, node() as taker:
        cids: list[Cid | str] = [await giver.add(data) for data in contents]
        for data in contents[::7]:
            await taker.add(data)
        await taker.connect(giver.addresses()[0])
        assert await read(taker, *cids[:100]) == b"".join(contents[:100])
        assert taker.online.exchange.stat().messages_received < 50
        assert await read(taker, *cids, offset=5_000, length=3_400_000) == b"".join(contents)[5_000:3_405_000]


async def test_a_want_is_answered_by_what_is_added_later(node: MakeNode) -> None:
    async with node() as giver, node() as taker:
        data = random.Random(2).randbytes(3_000_000)
        cid = (await giver.import_file(data, only_hash=True)).cid
        await taker.connect(giver.addresses()[0])
        answers: list[bytes] = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: collect(answers, taker, cid))
            while cid not in taker.online.exchange.wantlist():
                await trio.testing.wait_all_tasks_blocked()
            assert await giver.add(data) == cid
        assert answers == [data]


async def collect(answers: list[bytes], node: Node, cid: Cid) -> None:
    answers.append(await read(node, cid))


async def test_a_want_is_answered_by_a_peer_that_comes_later(node: MakeNode) -> None:
    async with node() as giver, node() as taker:
        cid = await giver.add(b"late")
        answers: list[bytes] = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: collect(answers, taker, cid))
            await trio.testing.wait_all_tasks_blocked()
            await taker.connect(giver.addresses()[0])
        assert answers == [b"late"]


async def test_a_timeout_names_who_was_asked_and_withdraws_the_want(node: MakeNode) -> None:
    async with node() as giver, node() as taker:
        await taker.connect(giver.addresses()[0])
        with pytest.raises(TimedOut, match=giver.repo.identity.peer_id):
            await read(taker, ABSENT, timeout=0.3)
        assert taker.online.exchange.wantlist() == []


async def test_a_damaged_block_is_fetched_again(node: MakeNode) -> None:
    async with node() as giver, node() as taker:
        data = random.Random(3).randbytes(5000)
        assert await giver.add(data) == await taker.add(data)
        segment = next(
            path for path in (taker.repo.path / "segments").glob("*.seg") if path.stat().st_size > 5000
        )
        with segment.open("r+b") as file:
            file.seek(2500)
            file.write(b"rotten")
        await taker.connect(giver.addresses()[0])
        assert await read(taker, await giver.add(data)) == data
        await taker.disconnect(giver.repo.identity.peer_id)
        assert await read(taker, await giver.add(data)) == data, "the sound copy was stored"


class Arrival:
    """Tells when a peer has come."""

    def __init__(self) -> None:
        self.event = trio.Event()

    def peer_connected(self, peer: PeerId) -> None:
        self.event.set()

    def peer_disconnected(self, peer: PeerId) -> None:
        pass


async def test_bootstrap_peers_are_connected_to_when_the_node_starts(node: MakeNode) -> None:
    arrival = Arrival()
    async with node() as first:
        first.online.host.listen_to_peers(arrival)
        async with node(Bootstrap=first.addresses()) as second:
            with trio.fail_after(10):
                await arrival.event.wait()
            assert first.peers() == [second.repo.identity.peer_id]


async def test_swarm_connect_takes_several_addresses_of_a_peer_as_ways_to_one(node: MakeNode) -> None:
    async with node() as first, node() as second, node() as third:
        dead = f"/ip4/127.0.0.1/tcp/1/p2p/{first.repo.identity.peer_id}"
        addresses = (dead, *second.addresses(), *first.addresses())
        answer = await swarm.connect(third, Request(args=addresses))
        peers = [first.repo.identity.peer_id, second.repo.identity.peer_id]
        assert answer == {"Strings": [f"connect {peer} success" for peer in peers]}
        assert set(third.peers()) == set(peers)


async def test_a_port_that_is_taken_is_named_with_the_setting(node: MakeNode) -> None:
    async with node() as first:
        where = first.addresses()[0].partition("/p2p/")[0]
        with pytest.raises(CannotListen, match=f"^cannot listen on {where}: .*, or set Addresses.Swarm to"):
            async with node(**{"Addresses.Swarm": [where]}):
                pass


async def test_addresses_that_lead_nowhere_are_told_apart(node: MakeNode) -> None:
    async with node() as alone:
        with pytest.raises(InvalidAddress):
            await alone.connect("nonsense")
        with pytest.raises(InvalidAddress):
            await alone.connect(alone.addresses()[0])
        with pytest.raises(DialFailed):
            await alone.connect(
                "/ip4/127.0.0.1/tcp/1/p2p/12D3KooWDF6DnKoZdnpLtiegUTLguGJtow2RXjxBNQ8uFcB6QvkV"
            )


async def test_a_node_ends_with_transfers_under_way(node: MakeNode) -> None:
    async with node() as giver:
        with trio.fail_after(10):
            async with node() as leaving:
                await leaving.connect(giver.addresses()[0])
                waiting = leaving.cat(ABSENT)
                with trio.move_on_after(0.1):
                    await anext(aiter(waiting))


async def test_three_peers_of_very_different_speed_are_served_side_by_side(node: MakeNode) -> None:
    finished = []

    async def fetch(taker: Node, name: str, cid: Cid) -> None:
        await read(taker, cid)
        finished.append(name)

    slow, medium = ({"Swarm.DownloadRate": rate, "Swarm.LimitLocal": True} for rate in ("20KB/s", "2MB/s"))
    async with node() as giver, node(**slow) as one, node(**medium) as two, node() as three:
        cid = await giver.add(random.Random(4).randbytes(6_000_000))
        async with trio.open_nursery() as nursery:
            for taker in (one, two, three):
                await taker.connect(giver.addresses()[0])
            # Would take five minutes.
            nursery.start_soon(fetch, one, "slow", cid)
            async with trio.open_nursery() as others:
                others.start_soon(fetch, two, "medium", cid)
                await trio.sleep(0.5)
                others.start_soon(fetch, three, "fast", cid)
            nursery.cancel_scope.cancel()
        assert finished == ["fast", "medium"]
        sent = giver.online.host.traffic.by_peer()
        assert sent[PeerId(one.repo.identity.peer_id)].total_out > 0
