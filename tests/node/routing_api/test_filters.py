"""Whom clients are told of, and where they are: by what they ask for, and by where they are themselves."""

from __future__ import annotations

import pytest

from peershelf.node.errors import UsageError
from peershelf.node.routing_api.filters import Filters, is_near, is_public
from peershelf.protocols.routing.base import PeerInfo
from peershelf.protocols.transport import PeerId

PEER = PeerId("12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN")
TCP, QUIC = "/ip4/8.8.8.8/tcp/4001", "/ip6/2606:4700::1/udp/4001/quic-v1"
WEB = "/dns4/example.com/tcp/443/wss"
EVERY = (TCP, QUIC, WEB)


def kept(
    query: str, addresses: tuple[str, ...] = EVERY, *, from_afar: bool = False
) -> tuple[str, ...] | None:
    info = Filters.parse(query.encode(), from_afar=from_afar).apply(PeerInfo(PEER, addresses))
    return None if info is None else info.addresses


@pytest.mark.parametrize(
    ("query", "addresses"),
    [
        ("", EVERY),
        ("filter-addrs=", EVERY),
        ("filter-addrs=tcp", (TCP, WEB)),
        ("filter-addrs=TCP,Quic-V1", EVERY),
        ("filter-addrs=quic-v1%2Cwss", (QUIC, WEB)),
        ("filter-addrs=!ip6", (TCP, WEB)),
        ("filter-addrs=!ip6,!wss", (TCP,)),
        ("filter-addrs=tcp,!wss", (TCP,)),
        ("filter-addrs=unknown", None),
        ("filter-addrs=webtransport", None),
        ("filter-protocols=unknown", EVERY),
        ("filter-protocols=transport-bitswap,UNKNOWN", EVERY),
        ("filter-protocols=transport-bitswap", None),
        ("filter-addrs=tcp&filter-protocols=unknown&other=1", (TCP, WEB)),
    ],
)
def test_addresses_are_those_that_were_asked_for(query, addresses):
    assert kept(query) == addresses


@pytest.mark.parametrize(
    ("query", "told"), [("", True), ("filter-addrs=unknown,tcp", True), ("filter-addrs=tcp", False)]
)
def test_a_peer_without_addresses_is_told_of_unless_some_are_asked_for(query, told):
    assert kept(query, ()) == (() if told else None)


PRIVATE = (
    "/ip4/192.168.1.7/tcp/4001",
    "/ip4/127.0.0.1/tcp/4001",
    "/ip6/fe80::1/tcp/4001",
    "/dns/box.local/tcp/1",
)


def test_from_afar_nobody_hears_of_private_addresses():
    assert kept("", (*PRIVATE, TCP), from_afar=True) == (TCP,)
    assert kept("", PRIVATE, from_afar=True) is None
    assert kept("", PRIVATE) == PRIVATE


@pytest.mark.parametrize(
    "address", ["", "tcp", "/ip4", "/ip4/x/tcp/1", "/dns/localhost/tcp/1", "/onion3/x", *PRIVATE]
)
def test_what_is_not_reached_from_anywhere_is_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    ("host", "near"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("::ffff:10.0.0.1", True),
        ("::ffff:8.8.8.8", False),
        ("8.8.8.8", False),
    ],
)
def test_who_is_near(host, near):
    assert is_near(host) is near


@pytest.mark.parametrize("names", [",".join(["tcp"] * 65), "x" * 65], ids=["many", "long"])
def test_filters_are_short(names):
    with pytest.raises(UsageError):
        kept(f"filter-addrs={names}")
