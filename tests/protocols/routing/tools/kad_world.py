"""DHTs over a network in memory, for tests: nodes, and strangers that say what a test has them say."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise

import trio

from peershelf.blockstore.block import Block
from peershelf.protocols.errors import DialFailed
from peershelf.protocols.fake import FakeInternet, FakeNetwork
from peershelf.protocols.multiaddrs import texts
from peershelf.protocols.routing.base import PeerInfo
from peershelf.protocols.routing.kad import LAN, Dht, new_pacing
from peershelf.protocols.routing.kad.keys import peer_from_bytes
from peershelf.protocols.routing.kad.scope import Scope
from peershelf.protocols.transport import PeerId

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
        return self._world.claims.get(peer, [ADDRESS])

    def seen_at(self, peer: PeerId) -> bytes | None:
        return self._world.seen_at.get(peer, ADDRESS) if peer in self._inner.peers() else None

    async def reach(self, peer: PeerId, addresses: Sequence[str]) -> None:
        await self._world.dial(self._inner, peer, addresses)


def new_peer(rng: random.Random) -> PeerId:
    return peer_from_bytes(b"\x00\x24\x08\x01\x12\x20" + rng.randbytes(32))


class World:
    """Nodes of one DHT."""

    def __init__(self, internet: FakeInternet, nursery: trio.Nursery) -> None:
        self.internet = internet
        self.nursery = nursery
        self.networks: dict[PeerId, FakeNetwork] = {}
        self.seen_at: dict[PeerId, bytes] = {}
        self.claims: dict[PeerId, list[bytes]] = {}
        """What differs from being, and claiming to be, on this machine."""
        self.only_at: dict[PeerId, bytes] = {}
        """Peers that are dialed at one address alone."""
        self.cpu = 0.0
        """Seconds of CPU that have been used. Virtual time has none, unless a test says so."""
        self.dials = 0
        self.dial_takes = 0.05
        """Seconds until it shows that nobody is there."""
        self._random = random.Random(1)

    def network(self) -> Dialing:
        peer = new_peer(self._random)
        inner = self.networks[peer] = self.internet.node(peer)
        return Dialing(self, inner)

    async def node(self, *, serve: bool = True, scope: Scope = LAN) -> tuple[Dialing, Dht]:
        network = self.network()
        dht = Dht(network, scope, serve=serve, pacing=new_pacing(network, lambda: self.cpu))
        await self.nursery.start(dht.run)
        return network, dht

    async def dial(self, one: FakeNetwork, peer: PeerId, addresses: Sequence[str]) -> None:
        self.dials += 1
        is_there = peer not in self.only_at or texts((self.only_at[peer],))[0] in addresses
        if peer not in self.networks or not is_there:
            await trio.sleep(self.dial_takes)
            raise DialFailed("nobody there")
        await trio.sleep(0.05)
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
