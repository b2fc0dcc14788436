"""The world's DHT with Kubo: on a network of their own, whose loopback interface has public addresses."""

from __future__ import annotations

from pathlib import Path

import namespace

# In networks of their own, since few of one network are taken into a routing table.
ADDRESSES = [f"45.{number}.0.1" for number in range(1, 9)]
SET_UP = " && ".join(["ip link set lo up", *(f"ip addr add {address}/32 dev lo" for address in ADDRESSES)])


def test_with_public_addresses(kubo):
    namespace.run_tests(Path(__file__).with_name("dht_in_the_world.py"), SET_UP)
