"""Being reached, with Kubo: on a network of their own, whose loopback interface has public addresses.

Connections to these come from one and the same further address, as if there was a NAT for outbound ones: by
default Linux lets a connection to one of its own addresses come from that address.
"""

from __future__ import annotations

from pathlib import Path

import namespace

ADDRESSES = [f"45.{number}.0.1" for number in range(1, 9)]
BEFORE_ALL = "45.7.0.1"
"""Where all connections come from."""
PRIVATE = "10.8.0.1"
SET_UP = " && ".join(
    [
        "ip link set lo up",
        *(f"ip addr add {address}/32 dev lo" for address in [*ADDRESSES, PRIVATE]),
        *(
            f"ip route replace local {address} dev lo table local proto kernel scope host src {BEFORE_ALL}"
            for address in ADDRESSES
            if address != BEFORE_ALL
        ),
    ]
)


def test_with_public_addresses(kubo):
    namespace.run_tests(Path(__file__).with_name("reached_in_the_world.py"), SET_UP)
