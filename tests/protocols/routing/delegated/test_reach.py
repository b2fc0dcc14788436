"""Where a router may send us."""

from __future__ import annotations

import pytest

from peershelf.protocols.routing.base import PeerInfo
from peershelf.protocols.routing.delegated import DelegatedRouter
from peershelf.protocols.routing.delegated.reach import is_near
from peershelf.protocols.transport import PeerId

PEER, OWN = PeerId("12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"), PeerId("own")
NEAR = ("/ip4/192.168.1.1/tcp/80", "/ip4/127.0.0.1/tcp/5001", "/ip6/fe80::1/tcp/1")
FAR = ("/ip4/45.1.2.3/tcp/4001", "/dns4/example.com/tcp/4001")


@pytest.mark.parametrize(
    ("url", "near"),
    [
        ("http://127.0.0.1:8080", True),
        ("http://localhost:8080/", True),
        ("http://[::1]:8080", True),
        ("http://10.0.0.7", True),
        ("https://[fd00::7]/", True),
        ("https://delegated-ipfs.dev", False),
        ("https://45.1.2.3", False),
        ("https://localhost.example.com", False),
    ],
)
def test_who_is_near(url: str, near: bool) -> None:
    assert is_near(url) is near


@pytest.mark.parametrize(("url", "told"), [("http://127.0.0.1:1", NEAR + FAR), ("https://far.example", FAR)])
def test_one_that_is_far_sends_nobody_into_our_own_network(url: str, told: tuple[str, ...]) -> None:
    found: list[PeerInfo] = []
    DelegatedRouter(url, OWN)._tell([PeerInfo(PEER, NEAR + FAR)], found.append)
    assert found == [PeerInfo(PEER, told)]
