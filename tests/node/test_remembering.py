"""Peers that a daemon remembers, under a clock that jumps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
import trio

from peershelf.node import remembering
from peershelf.node.peer_book import PeerBook
from peershelf.node.peer_ids import format_peer_id
from peershelf.node.remembering import FEW, HANDFUL, SAVE_INTERVAL, Notes, remember
from peershelf.protocols.errors import DialFailed
from peershelf.protocols.transport import PeerId, PeerListener

WAY = "/ip4/192.0.2.1/tcp/4001"


def peer(number: int) -> PeerId:
    return format_peer_id(b"\x12\x20" + number.to_bytes(32, "big"))


@dataclass
class FakeConnection:
    peer: PeerId
    direction: str = "outbound"
    address: str = WAY


@dataclass
class FakeHost:
    """Reaches everybody, or nobody."""

    reachable: bool = True
    dialed: list[PeerId] = field(default_factory=list)
    open: list[FakeConnection] = field(default_factory=list)
    listener: PeerListener | None = None

    async def reach(self, peer: PeerId, addresses: Sequence[str]) -> None:
        await trio.lowlevel.checkpoint()
        self.dialed.append(peer)
        if not self.reachable:
            raise DialFailed("refused")
        self.connects(FakeConnection(peer))

    def connects(self, connection: FakeConnection) -> None:
        self.open.append(connection)
        assert self.listener is not None
        self.listener.peer_connected(connection.peer)

    def peers(self) -> list[PeerId]:
        return [connection.peer for connection in self.open]

    def connections(self) -> Any:
        return self.open

    def listen_to_peers(self, listener: PeerListener) -> None:
        self.listener = listener


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "peers.json"


@pytest.fixture(autouse=True)
def no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock would jump while a thread works."""

    async def inline(call: Callable[..., Any], *args: Any) -> Any:
        return call(*args)

    monkeypatch.setattr(trio.to_thread, "run_sync", inline)


async def run(host: FakeHost, path: Path, seconds: float = 1000.0, *, briefly: bool = False) -> None:
    with trio.move_on_after(seconds):
        await remember(cast(Any, host), path, Notes(cast(Any, host)), briefly=briefly)


def written(path: Path) -> list[PeerId]:
    return [peer for peer, _ in PeerBook.decode(path.read_bytes()).newest()]


def with_peers(path: Path, *numbers: int) -> None:
    book = PeerBook()
    for number in numbers:
        book.reached(peer(number), WAY)
    path.write_bytes(book.encode())


async def test_whoever_was_reached_is_written_and_whoever_came_is_not(
    autojump_clock: Any, path: Path
) -> None:
    host = FakeHost()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run, host, path)
        await trio.sleep(1)
        host.connects(FakeConnection(peer(1)))
        host.connects(FakeConnection(peer(2), "inbound"))
        await trio.sleep(SAVE_INTERVAL)
        assert written(path) == [peer(1)], "long before the end"
        host.connects(FakeConnection(peer(3)))
    assert written(path) == [peer(3), peer(1)]


async def test_the_newest_are_dialed_until_there_are_a_few(autojump_clock: Any, path: Path) -> None:
    with_peers(path, *range(10))
    host = FakeHost()
    await run(host, path)
    assert host.dialed == [peer(number) for number in (9, 8, 7, 6)]
    assert len(host.dialed) == FEW


async def test_of_those_that_cannot_be_reached_a_handful_is_tried(autojump_clock: Any, path: Path) -> None:
    with_peers(path, *range(50))
    host = FakeHost(reachable=False)
    await run(host, path)
    assert len(host.dialed) == HANDFUL
    assert len(written(path)) == 50


async def test_whoever_has_peers_enough_dials_none_of_old(autojump_clock: Any, path: Path) -> None:
    with_peers(path, *range(10))
    host = FakeHost(open=[FakeConnection(peer(number)) for number in range(100, 100 + FEW)])
    await run(host, path)
    assert host.dialed == []


async def test_a_file_that_cannot_be_used_does_no_harm(
    autojump_clock: Any, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    path.mkdir()
    monkeypatch.setattr(remembering.durable, "write_file", full)
    host = FakeHost()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run, host, path)
        await trio.sleep(1)
        host.connects(FakeConnection(peer(1)))


async def test_who_is_there_briefly_dials_a_handful_at_once(path: Path, autojump_clock: Any) -> None:
    with_peers(path, *range(HANDFUL + 3))
    host = FakeHost(reachable=False)
    await run(host, path, 0.1, briefly=True)
    assert len(host.dialed) == HANDFUL
