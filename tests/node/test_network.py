"""What a node takes from its configuration when it goes online."""

from __future__ import annotations

import pytest

from peershelf.node import network
from peershelf.node.config import Config
from peershelf.node.errors import ConfigError

PEER = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"
OTHER = "12D3KooWDF6DnKoZdnpLtiegUTLguGJtow2RXjxBNQ8uFcB6QvkV"


def test_addresses_of_one_peer_are_tried_together_and_nonsense_is_left_out() -> None:
    ours = [f"/ip4/192.0.2.{last}/tcp/1/p2p/{PEER}" for last in (1, 2)]
    other = f"/ip4/192.0.2.1/tcp/1/p2p/{OTHER}"
    config = Config({"Bootstrap": [ours[0], "nonsense", other, ours[1], ours[0]]})
    assert network._usable("Bootstrap", config) == {PEER: ours, OTHER: [other]}


def test_water_marks_that_do_not_fit_are_named_as_settings() -> None:
    with pytest.raises(ConfigError, match=r"\.LowWater is 200, above Swarm\.ConnMgr\.HighWater"):
        network._host_limits(Config({"Swarm.ConnMgr.LowWater": 200}))
    assert network._host_limits(Config({"Swarm.ConnMgr.LowWater": 96})).low_water == 96
