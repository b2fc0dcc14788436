"""When an address that failed is tried again."""

from __future__ import annotations

import pytest

from peershelf.protocols.libp2p.addresses import parse_target
from peershelf.protocols.libp2p.backoff import Backoff

PEER = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"


def target(port=1, peer=PEER):
    return parse_target(f"/ip4/192.0.2.1/tcp/{port}/p2p/{peer}")


@pytest.fixture
def backoff():
    """Pauses from 1 s to 10 s, three addresses, without chance."""
    return Backoff(first=1, longest=10, most=3, chance=lambda: 0)


def test_an_address_that_never_failed_may_be_dialed(backoff):
    assert backoff.remaining(target(), now=100) == 0


def test_pauses_double_up_to_the_longest(backoff):
    now, pauses = 0.0, []
    for _ in range(6):
        backoff.failed(target(), now)
        pauses.append(backoff.remaining(target(), now))
        now += pauses[-1]
        assert backoff.remaining(target(), now) == 0
    assert pauses == [1, 2, 4, 8, 10, 10]


def test_very_many_failures_do_no_harm(backoff):
    for _ in range(5_000):
        backoff.failed(target(), 0)
    assert backoff.remaining(target(), 0) == 10


@pytest.mark.parametrize(("chance", "pause"), [(0, 4), (0.5, 3), (1, 2)])
def test_chance_takes_up_to_half(chance, pause):
    backoff = Backoff(first=4, longest=10, chance=lambda: chance)
    backoff.failed(target(), 0)
    assert backoff.remaining(target(), 0) == pause


def test_by_default_two_that_fail_together_do_not_return_together():
    backoffs = [Backoff() for _ in range(20)]
    for one in backoffs:
        one.failed(target(), 0)
    assert len({one.remaining(target(), 0) for one in backoffs}) > 1


def test_success_clears_it(backoff):
    for _ in range(3):
        backoff.failed(target(), 0)
    backoff.succeeded(target())
    assert backoff.remaining(target(), 0) == 0
    backoff.failed(target(), 0)
    assert backoff.remaining(target(), 0) == 1


def test_an_address_left_alone_for_long_starts_over(backoff):
    for _ in range(3):
        backoff.failed(target(), 0)
    backoff.failed(target(), 14.5)
    assert backoff.remaining(target(), 14.5) == 1


def test_each_address_and_each_peer_has_its_own(backoff):
    other = "12D3KooWDF6DnKoZdnpLtiegUTLguGJtow2RXjxBNQ8uFcB6QvkV"
    backoff.failed(target(1), 0)
    assert backoff.remaining(target(2), 0) == 0
    assert backoff.remaining(target(1, other), 0) == 0


def test_it_remembers_only_so_many_and_forgets_the_longest_ago(backoff):
    for port in (1, 2, 3, 1, 4):
        backoff.failed(target(port), 0)
    assert len(backoff) == 3
    assert [bool(backoff.remaining(target(port), 0)) for port in (1, 2, 3, 4)] == [True, False, True, True]
