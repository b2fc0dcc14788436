"""Which of the peers that the configuration names a node goes for."""

from __future__ import annotations

from peershelf.node import network
from peershelf.node.config import Config

PEER = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"
OTHER = "12D3KooWDF6DnKoZdnpLtiegUTLguGJtow2RXjxBNQ8uFcB6QvkV"


def test_addresses_of_one_peer_are_tried_together_and_nonsense_is_left_out() -> None:
    ours = [f"/ip4/192.0.2.{last}/tcp/1/p2p/{PEER}" for last in (1, 2)]
    other = f"/ip4/192.0.2.1/tcp/1/p2p/{OTHER}"
    config = Config({"Bootstrap": [ours[0], "nonsense", other, ours[1], ours[0]]})
    assert network._usable("Bootstrap", config) == {PEER: ours, OTHER: [other]}
