"""Which inbound sockets get a place."""

from __future__ import annotations

import pytest

from peershelf.protocols.libp2p.limits import HostLimits
from peershelf.protocols.libp2p.transport.inbound import InboundPlaces

LIMITS = HostLimits(
    low_water=1,
    high_water=6,
    headroom=4,
    outbound_reserve=4,
    half_open_per_address=8,
    connections_per_address=2,
    connections_per_local_address=5,
)


class Door(InboundPlaces):
    """Six places, two for a public address, five for a local one; `given_up` lists what had to go."""

    def __init__(self):
        super().__init__(LIMITS)
        self.given_up = []
        self._next_port = 1

    def knock(self, host):
        """A socket comes in and stays half-open; returns its endpoint, or None where it was refused."""
        remote = (host, self._next_port)
        self._next_port += 1

        def give_up():
            self.given_up.append(remote)
            self.leave(remote)

        return remote if self.admit(remote, give_up) else None

    def settle_in(self, host):
        """The same, and it finishes its handshakes."""
        remote = self.knock(host)
        if remote:
            self.half_open.settle(remote)
        return remote


@pytest.fixture
def door():
    return Door()


def test_an_address_gets_its_share_and_no_more(door):
    assert [bool(door.settle_in("8.8.8.8")) for _ in range(3)] == [True, True, False]
    assert door.settle_in("8.8.4.4")


def test_one_ipv6_customer_is_one_address(door):
    hosts = ["2606:4700::1", "2606:4700::2", "2606:4700::3", "2606:4700:0:1::1"]
    assert [bool(door.settle_in(host)) for host in hosts] == [True, True, False, True]


@pytest.mark.parametrize("host", ["127.0.0.1", "192.168.1.2", "fd00::1", "::1"])
def test_local_addresses_have_a_larger_share(door, host):
    assert [bool(door.settle_in(host)) for _ in range(6)] == [True] * 5 + [False]


def test_some_places_are_left_for_our_own_dials(door):
    came = [bool(door.settle_in(f"8.8.8.{last}")) for last in range(20)]
    assert came == [True] * LIMITS.max_inbound + [False] * (20 - LIMITS.max_inbound)
    assert LIMITS.max_inbound == LIMITS.max_connections - LIMITS.outbound_reserve


def test_a_place_is_free_again_when_its_socket_is_closed(door):
    first, _ = door.settle_in("8.8.8.8"), door.settle_in("8.8.8.8")
    door.leave(first)
    assert door.settle_in("8.8.8.8")
    assert len(door) == 2


def test_who_still_shakes_hands_makes_room_for_a_newcomer_and_who_is_established_does_not(door):
    door.settle_in("8.8.8.8")
    slow = door.knock("8.8.8.8")
    assert door.settle_in("8.8.8.8")
    assert door.given_up == [slow]
    assert not door.knock("8.8.8.8")
    assert len(door) == 2


def test_where_all_is_taken_the_oldest_handshake_of_any_address_makes_room(door):
    slow = door.knock("9.9.9.9")
    for last in range(LIMITS.max_inbound):
        assert door.settle_in(f"8.8.8.{last}")
    assert door.given_up == [slow]
    assert not door.knock("7.7.7.7")


def fill_up(door):
    """Two from each of three addresses."""
    return [door.settle_in(f"8.8.8.{last}") for last in (1, 2, 3, 1, 2, 3)]


def test_where_all_is_taken_the_newest_of_the_fullest_address_makes_room(door):
    came = fill_up(door)
    assert door.settle_in("9.9.9.9")
    assert door.given_up == [came[3]]
    assert len(door) == LIMITS.max_inbound


def test_nobody_makes_room_for_an_address_that_would_have_as_many_then(door):
    fill_up(door)
    assert door.settle_in("9.9.9.9")
    assert not door.settle_in("9.9.9.9")
    assert len(door.given_up) == 1


def test_who_is_needed_makes_no_room(door):
    came = fill_up(door)
    door.may_go = lambda remote: remote != came[3]
    assert door.settle_in("9.9.9.9")
    assert door.given_up == [came[0]]


def test_everything_is_forgotten_when_all_have_left(door):
    for remote in [door.knock(f"8.8.8.{last}") for last in range(4)]:
        door.leave(remote)
    assert len(door) == len(door.half_open) == 0
    assert not door._count
    assert not door._give_up


def test_the_reserve_is_never_more_than_half():
    assert HostLimits(low_water=0, high_water=4, headroom=0, outbound_reserve=100).max_inbound == 2
