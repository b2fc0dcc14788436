"""Which addresses are dialed and listened on."""

from __future__ import annotations

import socket

import pytest

from peershelf.protocols.errors import InvalidAddress
from peershelf.protocols.libp2p.addresses import Multiaddr, endpoint, expand, parse_listen, parse_target

PEER = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"


@pytest.mark.parametrize(
    "where",
    [
        "/ip4/192.0.2.1/tcp/4001",
        "/ip6/2001:db8::1/tcp/4001",
        "/dns/node.example/tcp/4001",
        "/dns4/node.example/tcp/4001",
        "/dns6/node.example/tcp/4001",
        "/dnsaddr/node.example",
    ],
)
def test_a_target_is_a_place_and_a_peer(where):
    target = parse_target(f"{where}/p2p/{PEER}")
    assert (str(target.where), target.peer) == (where, PEER)


@pytest.mark.parametrize("address", ["/ip4/0.0.0.0/tcp/4001", "/ip6/::/tcp/0", "/ip4/127.0.0.1/tcp/1"])
def test_tcp_on_an_ip_address_can_be_listened_on(address):
    assert str(parse_listen(address)) == address


@pytest.mark.parametrize(
    "address", ["/ip4/127.0.0.1", "/tcp/4001", "/ip4/1.2.3.4/tcp/1/wss", "/unix/tmp", ""]
)
def test_nothing_else_can_be_listened_on(address):
    with pytest.raises(InvalidAddress):
        parse_listen(address)


def test_an_endpoint_is_what_sockets_take():
    assert endpoint(Multiaddr("/ip4/192.0.2.1/tcp/4001")) == (socket.AF_INET, "192.0.2.1", 4001)
    assert endpoint(Multiaddr("/ip6/::1/tcp/1")) == (socket.AF_INET6, "::1", 1)


def test_only_a_wildcard_is_expanded_and_to_its_own_family():
    assert expand(Multiaddr("/ip4/127.0.0.1/tcp/1")) == [Multiaddr("/ip4/127.0.0.1/tcp/1")]
    for wildcard, family in (("/ip4/0.0.0.0/tcp/7", socket.AF_INET), ("/ip6/::/tcp/7", socket.AF_INET6)):
        found = [endpoint(address) for address in expand(Multiaddr(wildcard))]
        assert found
        assert {(kind, port) for kind, _, port in found} == {(family, 7)}
        assert not {"0.0.0.0", "::"} & {host for _, host, _ in found}
