"""In which order a peer's addresses are dialed."""

from __future__ import annotations

import pytest

from peershelf.protocols.libp2p.addresses import Multiaddr
from peershelf.protocols.libp2p.ranking import may_be_shared, ranked


def order(*hosts):
    addresses = [Multiaddr(f"/ip{6 if ':' in host else 4}/{host}/tcp/4001") for host in hosts]
    return [str(address).split("/")[2] for address in ranked(addresses)]


def test_this_machine_comes_before_the_local_network_and_that_before_the_world():
    assert order("8.8.8.8", "192.168.1.7", "127.0.0.1") == ["127.0.0.1", "192.168.1.7", "8.8.8.8"]
    assert order("2606:4700::1", "fe80::1", "::1") == ["::1", "fe80::1", "2606:4700::1"]


def test_the_families_take_turns_and_ipv6_begins():
    hosts = ["8.8.8.8", "8.8.4.4", "1.1.1.1", "2606:4700::1", "2606:4700::2"]
    assert order(*hosts) == ["2606:4700::1", "8.8.8.8", "2606:4700::2", "8.8.4.4", "1.1.1.1"]


def test_within_a_family_the_order_given_stays_and_doubles_go():
    assert order("9.9.9.9", "8.8.8.8", "9.9.9.9") == ["9.9.9.9", "8.8.8.8"]


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("10.1.2.3", True),
        ("192.168.0.1", True),
        ("169.254.1.1", True),
        ("100.64.0.1", True),
        ("fd00::1", True),
        ("8.8.8.8", False),
        ("2606:4700::1", False),
    ],
)
def test_what_many_nodes_may_share_is_local(host, local):
    assert may_be_shared(host) is local
