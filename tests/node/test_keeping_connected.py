"""What the node does on its own to be connected, under a clock that jumps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import structlog
import trio

from peershelf.node import keeping_connected
from peershelf.node.keeping_connected import STEADY, KeptConnections
from peershelf.protocols.errors import DialedTooSoon, DialFailed, LocalProtocolError, NetworkError
from peershelf.protocols.transport import PeerId, PeerListener

PEER, OTHER = PeerId("peer"), PeerId("other")
REFUSED = DialFailed("refused")


class FakeHost:
    """Connects to whom it is told to, unless the next of its `answers` is an error."""

    def __init__(self) -> None:
        self.answers: list[NetworkError] = []
        self.dials: list[tuple[float, PeerId, Sequence[str]]] = []
        self.protected: set[tuple[PeerId, str]] = set()
        self.here: set[PeerId] = set()
        self.start = trio.current_time()

    def listen_to_peers(self, listener: PeerListener) -> None:
        self.listener = listener

    def protect(self, peer: PeerId, tag: str) -> None:
        self.protected.add((peer, tag))

    def unprotect(self, peer: PeerId, tag: str) -> bool:
        self.protected.discard((peer, tag))
        return False

    async def reach(self, peer: PeerId, addresses: Sequence[str]) -> None:
        await trio.lowlevel.checkpoint()
        if peer in self.here:
            return
        self.dials.append((trio.current_time() - self.start, peer, addresses))
        if self.answers:
            raise self.answers.pop(0)
        self.arrives(peer)

    def arrives(self, peer: PeerId) -> None:
        self.here.add(peer)
        self.listener.peer_connected(peer)

    def leaves(self, peer: PeerId) -> None:
        self.here.discard(peer)
        self.listener.peer_disconnected(peer)

    def times(self) -> list[float]:
        return [when for when, _, _ in self.dials]


@pytest.fixture
async def host() -> FakeHost:
    return FakeHost()


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the module logs, however logging was set up before in this process."""
    capture = structlog.testing.LogCapture()
    logger = structlog.wrap_logger(None, processors=[capture], wrapper_class=structlog.BoundLogger)
    monkeypatch.setattr(keeping_connected, "log", logger)
    return capture.entries


@pytest.fixture
async def kept(host: FakeHost, nursery: trio.Nursery) -> KeptConnections:
    """Without chance: pauses of 5, 10, 20 … 300 s."""
    return KeptConnections(nursery, host, chance=lambda: 0.0)


async def test_a_peer_is_tried_with_growing_pauses_until_it_is_there(
    autojump_clock: Any, host: FakeHost, kept: KeptConnections, logged: list[Any]
) -> None:
    host.answers = [REFUSED] * 8
    kept.meet(PEER, ["x"])
    await trio.sleep(3600)
    assert host.times() == [0, 5, 15, 35, 75, 155, 315, 615, 915]
    assert host.protected == {(PEER, "bootstrap")}
    told = [line["event"] for line in logged if line["log_level"] != "debug"]
    assert told == ["peer not reached, trying on", "peer reached"]


async def test_the_hosts_own_pause_is_waited_for(
    autojump_clock: Any, host: FakeHost, kept: KeptConnections
) -> None:
    host.answers = [REFUSED, DialedTooSoon(PEER, 7)]
    kept.keep(PEER, ["x"])
    await trio.sleep(3600)
    assert host.times() == [0, 5, 12]


async def test_what_can_never_be_reached_is_not_tried_for_ever(
    autojump_clock: Any, host: FakeHost, kept: KeptConnections
) -> None:
    host.answers = [LocalProtocolError("that is this node")] * 9
    kept.meet(PEER, ["x"])
    await trio.sleep(3600)
    assert host.times() == [0]


async def test_a_kept_peer_that_leaves_is_reached_again(
    autojump_clock: Any, host: FakeHost, kept: KeptConnections
) -> None:
    kept.keep(PEER, ["x"])
    host.arrives(OTHER)
    await trio.sleep(1000)
    host.leaves(PEER)
    await trio.sleep(1000)
    assert host.times() == [0, 1005]
    assert PEER in host.here
    assert host.protected == {(PEER, "peering")}


async def test_a_peer_that_closes_every_connection_gets_longer_pauses_and_a_steady_one_starts_over(
    autojump_clock: Any, host: FakeHost, kept: KeptConnections
) -> None:
    kept.keep(PEER, ["x"])
    await trio.sleep(0.5)
    for pause in (5, 10, 20, 40):
        host.leaves(PEER)
        await trio.sleep(pause + 0.5)
    assert host.times() == pytest.approx([0, 5.5, 16, 36.5, 77])
    await trio.sleep(STEADY)
    left = trio.current_time() - host.start
    host.leaves(PEER)
    await trio.sleep(1000)
    assert host.times()[5:] == pytest.approx([left + 5])


async def test_a_kept_peer_that_comes_back_by_itself_is_not_dialed(
    autojump_clock: Any, host: FakeHost, kept: KeptConnections
) -> None:
    kept.keep(PEER, ["x"])
    await trio.sleep(1)
    host.leaves(PEER)
    host.arrives(PEER)
    await trio.sleep(1000)
    assert host.times() == [0]
    host.leaves(PEER)
    await trio.sleep(1000)
    assert len(host.dials) == 2, "it is looked after all the same"


async def test_new_addresses_take_the_place_of_the_old_at_once(
    autojump_clock: Any, host: FakeHost, kept: KeptConnections
) -> None:
    host.answers = [REFUSED] * 3
    kept.keep(PEER, ["old"])
    await trio.sleep(16)
    kept.keep(PEER, ["new"])
    assert kept.kept() == {PEER: ["new"]}
    await trio.sleep(1000)
    assert [(when, ways) for when, _, ways in host.dials[2:]] == [(15, ["old"]), (16, ["new"])]


async def test_where_its_peers_are_is_told(host: FakeHost, kept: KeptConnections) -> None:
    kept.meet(PEER, ["x"])
    kept.keep(PEER, ["y", "z"])
    assert kept.addresses_of(PEER) == ("y", "z", "x")
    kept.release(PEER)
    assert (kept.addresses_of(PEER), kept.addresses_of(OTHER)) == (("x",), ())


async def test_a_released_peer_may_go(autojump_clock: Any, host: FakeHost, kept: KeptConnections) -> None:
    kept.keep(PEER, ["x"])
    await trio.sleep(1)
    kept.release(PEER)
    kept.release(OTHER)
    host.leaves(PEER)
    await trio.sleep(1000)
    assert (host.times(), host.protected, kept.kept()) == ([0], set(), {})


async def test_bootstrap_peers_may_leave_as_long_as_another_peer_is_there(
    autojump_clock: Any, host: FakeHost, kept: KeptConnections
) -> None:
    kept.meet(PEER, ["x"])
    host.arrives(OTHER)
    await trio.sleep(100)
    host.leaves(PEER)
    await trio.sleep(900)
    assert host.times() == [0]
    host.leaves(OTHER)
    await trio.sleep(1000)
    assert host.times() == [0, 1005]
