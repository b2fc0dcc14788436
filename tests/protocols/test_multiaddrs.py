"""Which of our addresses a peer is told of, and which addresses are one person's."""

from __future__ import annotations

import pytest

from peershelf.protocols.multiaddrs import address_group, from_text, may_be_told

LOOPBACK = ("/ip4/127.0.0.1/tcp/1", "/ip6/::1/tcp/1")
PRIVATE = ("/ip4/192.168.1.2/tcp/1", "/ip6/fd00::1/tcp/1", "/ip4/169.254.1.1/tcp/1", "/ip4/100.64.0.1/tcp/1")
PUBLIC = ("/ip4/45.1.2.3/tcp/1", "/ip6/2a00:1450::1/tcp/1", "/dns4/example.com/tcp/1")


@pytest.mark.parametrize(
    ("peer", "told"),
    [
        ("/ip4/45.9.9.9/tcp/9", {*PUBLIC}),
        ("/ip6/2a00:1450::9/tcp/9", {*PUBLIC}),
        ("/ip4/192.168.1.9/tcp/9", {*PUBLIC, *PRIVATE}),
        ("/ip6/fe80::9/tcp/9", {*PUBLIC, *PRIVATE}),
        ("/ip4/127.0.0.1/tcp/9", {*PUBLIC, *PRIVATE, *LOOPBACK}),
    ],
)
def test_who_comes_from_far_is_told_nothing_of_what_is_near(peer: str, told: set[str]) -> None:
    there = from_text(peer)
    assert there is not None
    found = {one for one in (*LOOPBACK, *PRIVATE, *PUBLIC) if may_be_told(from_text(one) or b"", there)}
    assert found == told


def test_whoever_has_an_address_of_ipv6_has_the_64() -> None:
    assert address_group("2001:db8:1:2::1") == address_group("2001:db8:1:2:ffff::9") == "2001:db8:1:2::/64"
    different = ("192.0.2.1", "192.0.2.2", "2001:db8:1:2::1", "2001:db8:1:3::1")
    assert len({address_group(host) for host in different}) == len(different)
