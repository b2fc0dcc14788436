"""Providers are searched for when nothing comes, and dialed, a few at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import trio

from peershelf.blockstore.block import Block
from peershelf.blockstore.cid import Cid
from peershelf.node.searching import ProviderSearch, Searched
from peershelf.protocols.errors import DialFailed
from peershelf.protocols.routing.base import Found, Observe, PeerInfo, ignore
from peershelf.protocols.transport import PeerId

CID = Block.create(b"wanted").cid
AT = ("/ip4/192.0.2.1/tcp/4001",)


@dataclass
class FakeDialer:
    """Connects to whoever is not `dead`, and remembers."""

    connected: list[PeerId] = field(default_factory=list)
    dead: frozenset[PeerId] = frozenset()
    dialed: list[tuple[PeerId, tuple[str, ...]]] = field(default_factory=list)
    at_once: int = 0
    most: int = 0

    def peers(self) -> list[PeerId]:
        return self.connected

    async def reach(self, peer: PeerId, addresses: Sequence[str]) -> None:
        self.dialed.append((peer, tuple(addresses)))
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        await trio.sleep(1)
        self.at_once -= 1
        if peer in self.dead:
            raise DialFailed("nobody there")
        self.connected.append(peer)


@dataclass
class FakeRouter:
    """Knows some providers."""

    providers: list[PeerInfo]
    places: dict[PeerId, tuple[str, ...]] = field(default_factory=dict)
    searches: list[float] = field(default_factory=list)
    name: str = "fake"

    async def find_providers(self, cid: Cid, found: Found, observe: Observe = ignore) -> int:
        self.searches.append(trio.current_time())
        await trio.sleep(0.1)
        observe("answered")
        for info in self.providers:
            found(info)
        return 1

    async def find_peer(self, peer: PeerId, found: Found) -> int:
        found(PeerInfo(peer, ()))
        found(PeerInfo(peer, self.places.get(peer, ())))
        await trio.sleep(3600)
        return 1

    async def provide(self, keys: Sequence[bytes]) -> int:
        return 0


class FakeWaiting:
    """Waits for one block; `came` is set when something comes."""

    def __init__(self) -> None:
        self.came = trio.Event()

    def first(self) -> Cid | None:
        return CID

    def searched(self, result: Searched) -> None:
        self.result = result

    async def change(self) -> None:
        await self.came.wait()


def infos(*names: str) -> list[PeerInfo]:
    return [PeerInfo(PeerId(name), AT) for name in names]


async def test_all_found_are_dialed_a_few_at_a_time(autojump_clock) -> None:
    dialer = FakeDialer(dead=frozenset({PeerId("1"), PeerId("7")}))
    search, result = ProviderSearch(dialer, FakeRouter(infos(*map(str, range(30))))), Searched()
    await search.connect_to_providers(CID, result)
    assert len(dialer.dialed) == 30
    assert len(dialer.connected) == 28
    assert dialer.most == 8
    assert str(result) == (
        "of 1 that were asked who has it, some named 30 providers, 2 of them not reached; "
        "not reached: nobody there"
    )


async def test_all_that_was_tried_is_told_step_by_step(autojump_clock) -> None:
    dialer = FakeDialer(dead=frozenset({PeerId("1")}))
    search, result = ProviderSearch(dialer, FakeRouter(infos("0", "1"))), Searched()
    await search.connect_to_providers(CID, result)
    assert result.steps() == (
        "answered (1)",
        f"provider 0 at {AT[0]}: connected",
        f"provider 1 at {AT[0]}: not reached: nobody there",
    )


async def test_without_anybody_to_ask_it_is_told_whom_this_node_means_to_be_connected_to(
    autojump_clock,
) -> None:
    router = FakeRouter([])
    router.find_providers = nobody_to_ask
    search = ProviderSearch(FakeDialer(), router, unmet=lambda: {PeerId("hub"): "refused"})
    result = Searched()
    await search.connect_to_providers(CID, result)
    assert str(result) == (
        "nobody could be asked who has it, for no bootstrap peer could be reached (1 tried)"
    )
    assert result.steps()[1] == "bootstrap peer hub: not reached: refused"


async def nobody_to_ask(cid: Cid, found: Found, observe: Observe = ignore) -> int:
    await trio.lowlevel.checkpoint()
    return 0


async def test_a_flood_of_providers_is_cut(autojump_clock) -> None:
    dialer = FakeDialer()
    await ProviderSearch(dialer, FakeRouter(infos(*map(str, range(10_000))))).connect_to_providers(
        CID, Searched()
    )
    assert len(dialer.dialed) == 64


async def test_who_is_told_of_by_name_alone_is_looked_for(autojump_clock) -> None:
    dialer, one, lost = FakeDialer(), PeerId("one"), PeerId("lost")
    router = FakeRouter([PeerInfo(one)], {one: AT})
    await ProviderSearch(dialer, router).connect_to_providers(CID, Searched())
    assert dialer.dialed == [(one, AT)]
    assert lost not in dialer.connected


async def test_connected_peers_get_a_second_first(autojump_clock) -> None:
    router = FakeRouter([])
    search = ProviderSearch(FakeDialer(connected=[PeerId("neighbour")]), router)
    with trio.move_on_after(60):
        await search.keep_searching(FakeWaiting())
    # A second's patience before each, and pauses of 5, 10, 20 … between them.
    assert router.searches[0] == 1
    assert len(router.searches) == 4


async def test_where_nobody_is_connected_the_search_begins_at_once(autojump_clock) -> None:
    router = FakeRouter(infos("one"))
    dialer = FakeDialer()
    start = trio.current_time()
    with trio.move_on_after(2):
        await ProviderSearch(dialer, router).keep_searching(FakeWaiting())
    assert router.searches[0] == start
    assert dialer.connected == [PeerId("one")]
