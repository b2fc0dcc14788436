"""Two of us on one network: real multicast over the loopback interface."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any
from unittest.mock import Mock

import pytest
import trio
from zeroconf import Zeroconf

from peershelf.protocols.routing import mdns, mdns_service
from peershelf.protocols.routing.base import PeerInfo
from peershelf.protocols.routing.mdns import Inbox, run_mdns
from peershelf.protocols.routing.mdns_records import encode_txt
from peershelf.protocols.routing.mdns_service import MdnsImpossible, MdnsService, Moderation
from peershelf.protocols.transport import PeerId

ONE = PeerId("12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN")
TWO = PeerId("12D3KooWDF6DnKoZdnpLtiegUTLguGJtow2RXjxBNQ8uFcB6QvkV")
LOOPBACK = ["127.0.0.1"]
run_here = partial(run_mdns, interfaces=LOOPBACK)


class Heard:
    """Remembers who was found; others may run the same test on this machine."""

    def __init__(self) -> None:
        self.infos: list[PeerInfo] = []
        self._news = trio.Event()

    def __call__(self, info: PeerInfo) -> None:
        self.infos.append(info)
        self._news.set()

    async def of(self, info: PeerInfo) -> None:
        with trio.fail_after(20):
            while info not in self.infos:
                await self._news.wait()
                self._news = trio.Event()


def at(port: int) -> tuple[str, ...]:
    return (f"/ip4/127.0.0.1/tcp/{port}",)


async def test_each_finds_the_other_whoever_came_first(nursery: trio.Nursery) -> None:
    one, two = Heard(), Heard()
    await nursery.start(run_here, ONE, lambda: at(1), one)
    await nursery.start(run_here, TWO, lambda: at(2), two)
    await one.of(PeerInfo(TWO, at(2)))
    await two.of(PeerInfo(ONE, at(1)))
    third = Heard()
    await nursery.start(run_here, TWO, lambda: at(3), third)
    await third.of(PeerInfo(ONE, at(1)))
    assert ONE not in {info.peer for info in one.infos}


async def test_new_addresses_are_announced(nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mdns, "LOOK_AGAIN", 0.05)
    one = Heard()
    addresses = at(1)
    await nursery.start(run_here, ONE, tuple, one)
    await nursery.start(run_here, TWO, lambda: addresses, Heard())
    await one.of(PeerInfo(TWO, at(1)))
    addresses = at(2)
    await one.of(PeerInfo(TWO, at(2)))


async def test_who_has_no_address_only_listens(nursery: trio.Nursery) -> None:
    one, two = Heard(), Heard()
    await nursery.start(run_here, ONE, tuple, one)
    await nursery.start(run_here, TWO, lambda: at(7), two)
    await one.of(PeerInfo(TWO, at(7)))
    assert all(info.addresses for info in two.infos if info.peer == ONE)


async def test_the_loop_does_not_stand_still_meanwhile() -> None:
    longest, last = 0.0, time.perf_counter()
    with trio.move_on_after(1):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(run_here, ONE, lambda: at(1), Heard())
            while True:
                await trio.sleep(0.001)
                now = time.perf_counter()
                longest, last = max(longest, now - last), now
    assert longest < 0.3


async def test_it_ends_soon_and_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    heard = Heard()
    async with trio.open_nursery() as nursery:
        await nursery.start(run_here, ONE, lambda: at(1), Heard())
        await nursery.start(run_here, TWO, lambda: at(2), heard)
        await heard.of(PeerInfo(ONE, at(1)))
        start = time.perf_counter()
        nursery.cancel_scope.cancel()
    assert time.perf_counter() - start < mdns.GOODBYE + 0.5
    left = [thread.name for thread in set(threading.enumerate()) - before if "rio" not in thread.name]
    assert left == []


async def test_a_thread_that_hangs_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr(mdns, "GOODBYE", 0.05)
    monkeypatch.setattr(MdnsService, "run", lambda self, stop: released.wait(30))
    try:
        with trio.fail_after(5), trio.move_on_after(0.05):
            await run_here(ONE, lambda: at(1), Heard())
    finally:
        released.set()


def test_interfaces_that_take_no_multicast_make_it_impossible(monkeypatch: pytest.MonkeyPatch) -> None:
    deaf = Mock()
    deaf.engine.senders = []
    monkeypatch.setattr(mdns_service, "Zeroconf", lambda **_: deaf)
    with pytest.raises(MdnsImpossible, match="no network interface"):
        MdnsService(encode_txt(ONE, at(1)), lambda _: None, LOOPBACK).run(threading.Event())
    deaf.close.assert_called_once_with()


def refuse(error: Exception) -> Callable[..., None]:
    def raise_it(*_: object, **__: object) -> None:
        raise error

    return raise_it


@pytest.mark.parametrize("error", [OSError(98, "in use"), RuntimeError("No interfaces")])
async def test_a_machine_without_multicast_is_worth_one_line(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Mock()
    monkeypatch.setattr(mdns, "log", log)
    monkeypatch.setattr(mdns, "LOOK_AGAIN", 0.01)
    monkeypatch.setattr(mdns_service, "Zeroconf", refuse(error))
    with trio.move_on_after(0.2):
        await run_mdns(ONE, lambda: at(1), Heard())
    assert [call[0] for call in log.method_calls] == ["info"]


async def test_garbage_on_the_network_is_survived(nursery: trio.Nursery) -> None:
    heard = Heard()
    await nursery.start(run_here, ONE, lambda: at(1), heard)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        for junk in (b"", b"\0", b"\0\0\x84\0" + b"\xff" * 8, bytes(8_000), b"\xff" * 1_000):
            sender.sendto(junk, ("224.0.0.251", 5353))
    await nursery.start(run_here, TWO, lambda: at(5), Heard())
    await heard.of(PeerInfo(TWO, at(5)))


async def test_what_is_heard_is_remembered_by_nobody_but_the_cache(
    nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds ten thousand records; zeroconf's browser has no bound, and took 430 MiB of a flood in 50 s."""
    opened: list[Zeroconf] = []

    def open_and_note(**how: Any) -> Zeroconf:
        opened.append(Zeroconf(**how))
        return opened[-1]

    monkeypatch.setattr(mdns_service, "Zeroconf", open_and_note)
    await nursery.start(run_here, ONE, lambda: at(1), heard := Heard())
    await nursery.start(run_here, TWO, lambda: at(2), Heard())
    await heard.of(PeerInfo(TWO, at(2)))
    listeners = [listener for one in opened for listener in one.record_manager.listeners]
    assert [type(listener) for listener in listeners] == [mdns_service._Ear] * len(opened)


def test_a_thread_that_packets_keep_busy_has_to_rest() -> None:
    loop, stop = Mock(), Mock()
    moderation = Moderation(loop, stop, cpu=iter((0.0, 0.5)).__next__)
    moderation.look()
    stop.wait.assert_not_called()
    moderation.look()
    (rest,) = stop.wait.call_args.args
    assert rest == pytest.approx((0.5 - mdns_service.AHEAD) / mdns_service.SHARE, rel=0.1)
    assert loop.call_later.call_args.args[1] == moderation.look


async def test_zeroconf_is_made_to_rest(nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch) -> None:
    looking: set[str] = set()
    looked = threading.Event()
    look = Moderation.look

    def noted(moderation: Moderation) -> None:
        looking.add("zeroconf's" if moderation._loop is asyncio.get_running_loop() else "another")
        look(moderation)
        looked.set()

    monkeypatch.setattr(Moderation, "look", noted)
    await nursery.start(run_here, ONE, lambda: at(1), Heard())
    await trio.to_thread.run_sync(looked.wait, 20)
    assert looking == {"zeroconf's"}


async def test_a_flood_is_cut_at_the_queue() -> None:
    inbox = Inbox(ONE, trio.lowlevel.current_trio_token())
    heard = Heard()
    for port in range(1, 3 * mdns.QUEUE):
        inbox.put(encode_txt(TWO, at(port)))
    inbox.put(encode_txt(ONE, at(1)))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(inbox.tell, heard)
        await heard.of(PeerInfo(TWO, at(mdns.QUEUE)))
        nursery.cancel_scope.cancel()
    assert len(heard.infos) == mdns.QUEUE
