"""What follows from being reached."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import trio
from multiaddr import Multiaddr

from peershelf.node.config import Config
from peershelf.node.errors import ConfigError
from peershelf.node.reachability import Reachability
from peershelf.node.routing import routing_of
from peershelf.node.settings import check
from peershelf.protocols.fake import FakeInternet
from peershelf.protocols.reachability.case import Standing
from peershelf.protocols.routing.kad import LAN, WAN


def bytes_of(*addresses: str) -> list[bytes]:
    return [Multiaddr(address).to_bytes() for address in addresses]


GIVEN, PROVEN = bytes_of("/ip4/45.0.0.1/tcp/1", "/ip4/45.0.0.2/tcp/2")
PRIVATE = bytes_of("/ip4/192.168.0.1/tcp/1")[0]


class Host:
    """What a host is told."""

    def __init__(self) -> None:
        self.announced: list[bytes] = []

    def own_addresses(self) -> Sequence[bytes]:
        return [PRIVATE, *self.announced]

    def announce(self, addresses: Sequence[bytes]) -> None:
        self.announced = list(addresses)

    def __getattr__(self, name: str) -> Any:
        return lambda *_: []


def test_what_is_proven_is_told_served_and_taken_back() -> None:
    host, served, anew = Host(), [], []
    service = Reachability(host, [GIVEN], served.append)
    service.on_first_address = lambda: anew.append(True)
    service._changed(Standing.PUBLIC, [PROVEN, GIVEN])
    assert (host.announced, served, anew) == ([GIVEN, PROVEN], [True], [True])
    service._changed(Standing.PUBLIC, [PROVEN])
    assert anew == [True]
    service._changed(Standing.PRIVATE, [])
    assert (host.announced, served) == ([GIVEN], [True, True, False])


def test_where_an_address_was_known_before_nothing_is_announced_anew() -> None:
    host, anew = Host(), []
    host.announced = [GIVEN]
    service = Reachability(host, [GIVEN], lambda on: None)
    service.on_first_address = lambda: anew.append(True)
    service._changed(Standing.PUBLIC, [PROVEN])
    assert anew == []


async def test_addresses_of_the_user_are_told_from_the_start() -> None:
    host = Host()
    service = Reachability(host, [GIVEN], lambda on: None)
    async with trio.open_nursery() as nursery:
        await nursery.start(service.run)
        assert host.announced == [GIVEN]
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("kind", "at_first", "reached", "lost"),
    [
        ("auto", {LAN}, {LAN, WAN}, {LAN}),
        ("dhtclient", set(), set(), set()),
        ("dhtserver", {LAN, WAN}, {LAN, WAN}, {LAN, WAN}),
    ],
)
async def test_only_auto_follows_reachability(kind, at_first, reached, lost, autojump_clock) -> None:
    async with FakeInternet().running() as internet, trio.open_nursery() as nursery:
        network = internet.node("ours")
        routing = routing_of(kind, network, ())
        await nursery.start(routing.run)

        def served() -> set:
            return {scope for scope in (LAN, WAN) if scope.protocol in network._handlers}

        assert served() == at_first
        for is_so, expected in ((True, reached), (False, lost), (True, reached)):
            routing.reachable(is_so)
            assert served() == expected
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    "text",
    [
        "/ip4/192.0.2.1/tcp/4001",
        "/ip6/2001:db8::1/tcp/1",
        "/dns4/node.example/tcp/4001",
        "/dns/a-b.c/tcp/1/ws",
    ],
)
def test_addresses_to_announce_are_taken(text: str) -> None:
    assert check("Addresses.AppendAnnounce", [text]) == [text]
    assert Multiaddr(text).to_bytes()


@pytest.mark.parametrize(
    "value",
    ["/ip4/192.0.2.1/tcp/4001", ["nonsense"], ["/ip4/1.2.3.4/udp/4001/quic-v1"], ["/dns4/a b/tcp/1"], [1]],
)
def test_others_are_refused_with_what_to_write(value: Any) -> None:
    with pytest.raises(ConfigError, match=r"Addresses\.AppendAnnounce takes"):
        check("Addresses.AppendAnnounce", value)


def test_the_settings_have_their_defaults() -> None:
    config = Config({})
    assert config.strings("Addresses.AppendAnnounce") == []
    assert config.text("AutoNAT.ServiceMode") == "enabled"
