"""The books of a host."""

from __future__ import annotations

import gc

import pytest
import trio

from peershelf.protocols.traffic import Rates, Traffic, Usage, is_local
from peershelf.protocols.transport import PeerId

A, B = PeerId("A"), PeerId("B")
BITSWAP, PING = "/ipfs/bitswap/1.2.0", "/ipfs/ping/1.0.0"


async def test_what_streams_carry_is_counted_in_all_by_peer_and_by_protocol(autojump_clock):
    traffic = Traffic()
    traffic.flow(A, BITSWAP, local=False).sent(1000)
    traffic.flow(A, PING, local=False).received(32)
    traffic.flow(B, BITSWAP, local=True).received(500)
    assert totals(traffic.total()) == (532, 1000)
    assert {peer: totals(usage) for peer, usage in traffic.by_peer().items()} == {A: (32, 1000), B: (500, 0)}
    by_protocol = {protocol: totals(usage) for protocol, usage in traffic.by_protocol().items()}
    assert by_protocol == {BITSWAP: (500, 1000), PING: (32, 0)}
    assert traffic.total().rate_out > 0
    await trio.sleep(100)
    assert traffic.total().rate_out < 1


def totals(usage: Usage) -> tuple[int, int]:
    return usage.total_in, usage.total_out


async def test_a_peer_that_comes_back_goes_on_where_it_was():
    traffic = Traffic()
    traffic.flow(A, PING, local=False).sent(1)
    gc.collect()
    traffic.flow(A, PING, local=False).sent(2)
    assert traffic.by_peer()[A].total_out == 3


async def test_of_peers_that_left_only_the_latest_are_remembered():
    traffic = Traffic()
    kept = traffic.flow(A, PING, local=False)
    kept.sent(1)
    for number in range(2000):
        traffic.flow(PeerId(f"{number}"), PING, local=False).sent(1)
    kept.sent(1)
    gc.collect()
    known = traffic.by_peer()
    assert known[A].total_out == 2, "its stream is still open"
    assert "1999" in known
    assert len(known) <= 513
    assert traffic.total().total_out == 2002


def test_without_limits_there_is_nothing_to_wait_for():
    flow = Traffic().flow(A, PING, local=False)
    assert flow.up is flow.down is None


@pytest.mark.parametrize("rates", [Rates(upload=1), Rates(peer_upload=1), Rates(upload=1, peer_upload=1)])
def test_each_direction_has_its_own_limits(rates):
    flow = Traffic(rates).flow(A, PING, local=False)
    assert flow.up is not None
    assert flow.down is None


def test_local_peers_are_limited_only_if_asked_for():
    assert Traffic(Rates(upload=1)).flow(A, PING, local=True).up is None
    assert Traffic(Rates(upload=1, limit_local=True)).flow(A, PING, local=True).up is not None


def test_all_streams_of_a_peer_share_its_limit():
    traffic = Traffic(Rates(peer_download=1))
    one, two, other = (traffic.flow(peer, PING, local=False) for peer in (A, A, B))
    assert one.down is two.down
    assert one.down is not other.down


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("192.168.1.7", True),
        ("10.0.0.1", True),
        ("fe80::1", True),
        ("fd00::1", True),
        ("8.8.8.8", False),
        ("100.64.0.1", False),
        ("2001:4860::1", False),
    ],
)
def test_private_networks_are_local(host, local):
    assert is_local(host) == local
