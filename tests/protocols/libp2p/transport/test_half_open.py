"""Which half-open sockets have to go when there are too many."""

from __future__ import annotations

import pytest

from peershelf.protocols.libp2p.transport.half_open import HalfOpen


@pytest.fixture
def sockets():
    """Half-open sockets with two places an address and four in all; `given_up` lists those that had to go."""

    class Sockets(HalfOpen):
        def __init__(self):
            super().__init__(per_address=2, total=4)
            self.given_up = []

        def arrive(self, host, port):
            self.admit((host, port), lambda: self.given_up.append((host, port)))

    return Sockets()


def test_the_oldest_of_an_address_makes_room_for_its_newest(sockets):
    for port in range(1, 5):
        sockets.arrive("192.0.2.1", port)
    assert sockets.given_up == [("192.0.2.1", 1), ("192.0.2.1", 2)]
    assert len(sockets) == 2


def test_one_address_does_not_push_out_another(sockets):
    sockets.arrive("192.0.2.1", 1)
    for port in range(10):
        sockets.arrive("192.0.2.2", port)
    assert ("192.0.2.1", 1) not in sockets.given_up


def test_the_oldest_of_all_makes_room_once_all_places_are_taken(sockets):
    for last in range(1, 6):
        sockets.arrive(f"192.0.2.{last}", 1)
    assert sockets.given_up == [("192.0.2.1", 1)]


def test_a_socket_that_has_settled_takes_no_place(sockets):
    for port in range(10):
        sockets.arrive("192.0.2.1", port)
        sockets.settle(("192.0.2.1", port))
        sockets.settle(("192.0.2.1", port))
    assert sockets.given_up == []
    assert len(sockets) == 0


def test_the_hosts_of_one_ipv6_network_count_as_one_address(sockets):
    for last in range(1, 5):
        sockets.arrive(f"2001:db8::{last}", 1)
    assert len(sockets.given_up) == 2
