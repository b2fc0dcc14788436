"""Connecting to peers on the local network: how many at a time, and two nodes that find each other."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from peershelf.node import Node, neighbours
from peershelf.node.config import PROFILES, Config
from peershelf.node.neighbours import DIALS, KEPT, PEERS_PER_MINUTE, Neighbours
from peershelf.protocols.errors import DialFailed
from peershelf.protocols.routing.base import PeerInfo
from peershelf.protocols.routing.mdns import run_mdns
from peershelf.protocols.transport import PeerId


class FakeHost:
    """Dials that take as long as the test says."""

    local_peer = PeerId("ours")

    def __init__(self) -> None:
        self.dialed: list[PeerId] = []
        self.connected: list[PeerId] = []
        self.protected: set[PeerId] = set()
        self.dialing = 0
        self.answer = trio.Event()

    def addresses(self) -> list[str]:
        return []

    def peers(self) -> list[PeerId]:
        return self.connected

    def protect(self, peer: PeerId, tag: str) -> None:
        self.protected.add(peer)

    def unprotect(self, peer: PeerId, tag: str) -> bool:
        self.protected.discard(peer)
        return False

    async def reach(self, peer: PeerId, addresses: Sequence[str]) -> None:
        self.dialed.append(peer)
        self.dialing += 1
        try:
            await self.answer.wait()
        finally:
            self.dialing -= 1
        if not peer.startswith("there"):
            raise DialFailed("nobody there")
        self.connected.append(peer)


Met = tuple[FakeHost, Neighbours]


def peer(name: object) -> PeerInfo:
    return PeerInfo(PeerId(str(name)), ("/ip4/192.0.2.1/tcp/1",))


@pytest.fixture
def met(nursery: trio.Nursery) -> Met:
    host = FakeHost()
    ours = Neighbours(host)
    nursery.start_soon(ours.connect)
    return host, ours


async def test_few_are_dialed_at_a_time_and_few_in_a_minute(met: Met, autojump_clock: Any) -> None:
    host, ours = met
    for number in range(1000):
        ours.found(peer(number))
    await wait_all_tasks_blocked()
    assert host.dialing == DIALS
    host.answer.set()
    await wait_all_tasks_blocked()
    assert set(host.dialed) == {str(number) for number in range(PEERS_PER_MINUTE)}
    await trio.sleep(61)
    ours.found(peer("there"))
    await wait_all_tasks_blocked()
    assert host.connected == ["there"]


async def test_dials_that_take_long_hold_up_later_peers(met: Met, autojump_clock: Any) -> None:
    host, ours = met
    for _ in range(10):
        for number in range(1000):
            ours.found(peer(f"{trio.current_time()}-{number}"))
        await trio.sleep(61)
    host.answer.set()
    await wait_all_tasks_blocked()
    assert len(host.dialed) <= DIALS + 2 * PEERS_PER_MINUTE


async def test_a_peer_is_tried_once_a_minute_until_it_is_connected(met: Met, autojump_clock: Any) -> None:
    host, ours = met
    host.answer.set()
    for _ in range(3):
        for _ in range(5):
            ours.found(peer("nobody"))
            ours.found(peer("there"))
            await wait_all_tasks_blocked()
        await trio.sleep(61)
    assert sorted(host.dialed) == ["nobody", "nobody", "nobody", "there"]


async def test_so_many_that_are_there_stay_connected(met: Met, autojump_clock: Any) -> None:
    host, ours = met
    host.answer.set()
    for number in range(KEPT + 5):
        ours.found(peer(f"there {number}"))
    await wait_all_tasks_blocked()
    assert len(host.connected) == KEPT + 5
    assert len(host.protected) == KEPT
    left = next(iter(host.protected))
    host.connected.remove(left)
    ours.found(peer("there, and new"))
    await wait_all_tasks_blocked()
    assert len(host.protected) == KEPT
    assert left not in host.protected
    assert "there, and new" in host.protected


async def test_two_nodes_on_one_network_connect_by_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over real multicast, on the loopback interface alone: the network of this machine is none of ours."""
    monkeypatch.setattr(neighbours, "run_mdns", partial(run_mdns, interfaces=["127.0.0.1"]))
    settings = {"Addresses.Swarm": ["/ip4/127.0.0.1/tcp/0"], "Discovery.MDNS.Enabled": True}
    async with (
        Node(tmp_path / "one", settings=settings) as one,
        Node(tmp_path / "two", settings=settings) as two,
    ):
        with trio.fail_after(20):
            while two.repo.identity.peer_id not in one.peers():  # noqa: ASYNC110
                await trio.sleep(0.02)
        assert one.repo.identity.peer_id in two.peers()


def test_nodes_look_around_except_those_of_tests() -> None:
    assert Config({}).flag("Discovery.MDNS.Enabled")
    assert PROFILES["test"]["Discovery.MDNS.Enabled"] is False
