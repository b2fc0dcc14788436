"""Kubo and our node find each other by multicast DNS, on a network with nobody else.

That network is the loopback interface of a network namespace. The one outside would have other people's
nodes on it, and Kubo passes over interfaces that do not say they take multicast.
"""

from __future__ import annotations

from pathlib import Path

import namespace

SET_UP = "ip link set lo up multicast on && ip route add 224.0.0.0/4 dev lo"


def test_on_a_network_of_their_own(kubo):
    namespace.run_tests(Path(__file__).with_name("mdns_on_a_lan.py"), SET_UP)
