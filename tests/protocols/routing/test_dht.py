"""DHTs over a network in memory: they find, provide and answer, and strangers do no harm."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise

import trio

from peershelf.blockstore.block import Block
from peershelf.protocols.errors import DialFailed
from peershelf.protocols.fake import FakeInternet, FakeNetwork
from peershelf.protocols.routing.base import PeerInfo
from peershelf.protocols.routing.kad import LAN, Dht
from peershelf.protocols.routing.kad.keys import peer_from_bytes
from peershelf.protocols.routing.kad.messages import Contact, Kind, Message, encode
from peershelf.protocols.transport import PeerId
from peershelf.protocols.wire import encode_frame

ADDRESS = bytes([4, 127, 0, 0, 1, 6, 15, 161])
CID = Block.create(b"wanted").cid


class Dialing:
    """A fake network whose peers can be dialed by their ID alone."""

    def __init__(self, world: World, inner: FakeNetwork) -> None:
        self._world = world
        self._inner = inner

    def __getattr__(self, name: str):
        return getattr(self._inner, name)

    def own_addresses(self) -> Sequence[bytes]:
        return [ADDRESS]

    def addresses_of(self, peer: PeerId) -> Sequence[bytes]:
        return [ADDRESS]

    async def reach(self, peer: PeerId, addresses: Sequence[str]) -> None:
        await self._world.dial(self._inner, peer)


class World:
    """Nodes of one DHT."""

    def __init__(self, internet: FakeInternet, nursery: trio.Nursery) -> None:
        self.internet = internet
        self.nursery = nursery
        self.networks: dict[PeerId, FakeNetwork] = {}
        self.dials = 0
        self._random = random.Random(1)

    def network(self) -> Dialing:
        peer = peer_from_bytes(b"\x00\x24\x08\x01\x12\x20" + self._random.randbytes(32))
        inner = self.networks[peer] = self.internet.node(peer)
        return Dialing(self, inner)

    async def node(self, *, serve: bool = True) -> tuple[Dialing, Dht]:
        network = self.network()
        dht = Dht(network, LAN, serve=serve)
        await self.nursery.start(dht.run)
        return network, dht

    async def dial(self, one: FakeNetwork, peer: PeerId) -> None:
        await trio.sleep(0.05)
        self.dials += 1
        if peer not in self.networks:
            raise DialFailed("nobody there")
        if peer not in one.peers():
            self.internet.connect(one, self.networks[peer])


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    async with FakeInternet().running() as internet, trio.open_nursery() as nursery:
        yield World(internet, nursery)
        nursery.cancel_scope.cancel()


async def chain(world: World, count: int) -> list[tuple[Dialing, Dht]]:
    """Nodes each of which was told of the one before only, and has looked around."""
    nodes = [await world.node() for _ in range(count)]
    for (one, _), (other, _) in pairwise(nodes):
        world.internet.connect(one._inner, other._inner)
    await trio.sleep(60)
    return nodes


async def providers(dht: Dht) -> dict[PeerId, PeerInfo]:
    found: dict[PeerId, PeerInfo] = {}
    await dht.find_providers(CID, lambda info: found.setdefault(info.peer, info))
    return found


async def test_everybody_learns_of_everybody_from_a_neighbour(autojump_clock) -> None:
    async with world() as here:
        nodes = await chain(here, 12)
        assert [len(dht.table) for _, dht in nodes] == [11] * 12


async def test_what_one_end_provides_the_other_finds(autojump_clock) -> None:
    async with world() as here:
        nodes = await chain(here, 30)
        (provider, providing), (_, seeking) = nodes[0], nodes[-1]
        assert await providers(seeking) == {}
        assert await providing.provide([CID.multihash]) == 20
        found = await providers(seeking)
        assert found == {provider.local_peer: PeerInfo(provider.local_peer, ("/ip4/127.0.0.1/tcp/4001",))}


async def test_a_peer_is_found_by_its_id(autojump_clock) -> None:
    async with world() as here:
        nodes = await chain(here, 20)
        found: list[PeerInfo] = []
        await nodes[-1][1].find_peer(nodes[0][0].local_peer, found.append)
        assert PeerInfo(nodes[0][0].local_peer, ("/ip4/127.0.0.1/tcp/4001",)) in found


async def test_a_client_finds_and_is_in_nobodys_table(autojump_clock) -> None:
    async with world() as here:
        nodes = await chain(here, 5)
        network, client = await here.node(serve=False)
        here.internet.connect(network._inner, nodes[0][0]._inner)
        await trio.sleep(60)
        assert len(client.table) == 5
        assert all(network.local_peer not in dht.table for _, dht in nodes)
        await nodes[2][1].provide([CID.multihash])
        assert list(await providers(client)) == [nodes[2][0].local_peer]


async def test_nobody_speaks_for_others(autojump_clock) -> None:
    async with world() as here:
        (victim, _), (middle, asked), (liar, _) = await chain(here, 3)
        stream = await here.networks[liar.local_peer].open_stream(middle.local_peer, [LAN.protocol])
        forged = Message(
            Kind.ADD_PROVIDER, CID.multihash, providers=(Contact(victim.local_peer, (ADDRESS,)),)
        )
        await stream.send_all(encode_frame(encode(forged)))
        await trio.sleep(1)
        assert await providers(asked) == {}


async def test_silence_and_rubbish_cost_their_stream_and_a_search_goes_on(autojump_clock) -> None:
    async with world() as here:
        nodes = await chain(here, 6)
        for behaviour in ("silent", "rubbish"):
            bad = here.network()

            async def answer(stream, behaviour=behaviour) -> None:
                await stream.receive_some()
                if behaviour == "rubbish":
                    await stream.send_all(b"\xff" * 40)
                await trio.sleep_forever()

            bad.handle([LAN.protocol], answer)
            here.internet.connect(bad._inner, nodes[1][0]._inner)
            nodes[1][1].table.heard(Contact(bad.local_peer, (ADDRESS,)), trio.current_time())
        await nodes[0][1].provide([CID.multihash])
        start = trio.current_time()
        assert list(await providers(nodes[-1][1])) == [nodes[0][0].local_peer]
        assert trio.current_time() - start < 30


async def test_a_peer_that_is_gone_is_forgotten(autojump_clock) -> None:
    async with world() as here:
        nodes = await chain(here, 4)
        gone = nodes[2][0].local_peer
        for network, _ in nodes:
            if gone in network.peers():
                here.internet.disconnect(network._inner, here.networks[gone])
        del here.networks[gone]
        await nodes[0][1].look_around()
        assert gone not in nodes[0][1].table


async def test_without_peers_a_search_ends_at_once(autojump_clock) -> None:
    async with world() as here:
        _, lonely = await here.node()
        start = trio.current_time()
        assert await providers(lonely) == {}
        assert await lonely.provide([CID.multihash]) == 0
        assert trio.current_time() == start
