"""Addresses of peers as they are read without py-libp2p, which must agree."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peershelf.node.errors import UsageError
from peershelf.node.peer_addresses import parse_peer_address
from peershelf.node.public_peers import PUBLIC_BOOTSTRAP_PEERS
from peershelf.protocols.libp2p import peer_of

PEER = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"


@pytest.mark.parametrize(
    "address",
    [
        *PUBLIC_BOOTSTRAP_PEERS,
        *(
            f"{where}/p2p/{PEER}"
            for where in (
                "/ip4/192.0.2.1/tcp/4001",
                "/ip6/2001:db8::1/tcp/1/ws",
                "/dns/node.example/tcp/1",
                "/dns4/node.example/tcp/65535/ws",
                "/dns6/node.example/tcp/1",
                "/dnsaddr/node.example",
            )
        ),
    ],
)
def test_what_the_host_can_dial_is_read(address: str) -> None:
    read = parse_peer_address(address)
    assert str(read) == address
    assert read.peer == peer_of(address)


@pytest.mark.parametrize(
    "where",
    [
        "",
        "/ip4/192.0.2.1",
        "/ip4/192.0.2.1/tcp/65536",
        "/ip4/192.0.2.1/udp/1/quic-v1",
        "/ip4/node.example/tcp/1",
        "/dns/node.example",
        "/dns/node.example/tcp/99999",
        "/dnsaddr/node.example/tcp/1",
        "/dnsaddr/",
        f"/ip4/192.0.2.1/tcp/1/p2p/{PEER}/p2p-circuit",
    ],
)
def test_what_the_host_cannot_dial_is_refused(where: str) -> None:
    with pytest.raises(UsageError, match="cannot be dialed"):
        parse_peer_address(f"{where}/p2p/{PEER}")


@given(st.text(max_size=80))
def test_any_text_is_an_address_on_one_line_or_refused(text: str) -> None:
    for candidate in (text, f"{text}/p2p/{PEER}", f"/ip4/192.0.2.1/tcp/1/p2p/{text}"):
        with suppress(UsageError):
            assert "\n" not in str(parse_peer_address(candidate))
