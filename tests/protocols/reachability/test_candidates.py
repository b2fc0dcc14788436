"""Which addresses are asked about, and what counts as being reached at one."""

from __future__ import annotations

import pytest
from multiaddr import Multiaddr

from peershelf.protocols.reachability import candidates
from peershelf.protocols.transport import Arrival


def bytes_of(*addresses: str) -> list[bytes]:
    return [Multiaddr(address).to_bytes() for address in addresses]


def texts_of(addresses: list[bytes]) -> list[str]:
    return [str(Multiaddr(address)) for address in addresses]


def seen(*pairs: tuple[str, str]) -> list[tuple[bytes, bytes]]:
    return [(bytes_of(where)[0], bytes_of(said)[0]) for where, said in pairs]


HOME = ["/ip4/127.0.0.1/tcp/4001", "/ip4/192.168.1.5/tcp/4001", "/ip6/fd00::5/tcp/4001"]
TWO_SEE_US = seen(
    ("/ip4/8.8.8.8/tcp/1", "/ip4/45.0.0.9/tcp/50000"), ("/ip4/9.9.9.9/tcp/1", "/ip4/45.0.0.9/tcp/50001")
)


def test_public_addresses_at_which_we_listen_are_asked_about_and_others_not():
    listening = bytes_of(*HOME, "/ip4/45.0.0.1/tcp/4001", "/ip6/2a00::1/tcp/4001")
    found = texts_of(candidates.candidates(listening, (), ()))
    assert found == ["/ip4/45.0.0.1/tcp/4001", "/ip6/2a00::1/tcp/4001"]


def test_what_two_networks_see_is_combined_with_our_own_port():
    assert texts_of(candidates.candidates(bytes_of(*HOME), (), TWO_SEE_US)) == ["/ip4/45.0.0.9/tcp/4001"]


def test_who_listens_on_loopback_alone_is_not_reached_from_elsewhere():
    assert candidates.candidates(bytes_of(HOME[0]), (), TWO_SEE_US) == []


@pytest.mark.parametrize(
    "pairs",
    [
        seen(("/ip4/8.8.8.8/tcp/1", "/ip4/45.0.0.9/tcp/1")),
        seen(("/ip4/8.8.8.8/tcp/1", "/ip4/45.0.0.9/tcp/1"), ("/ip4/8.8.4.4/tcp/1", "/ip4/45.0.0.9/tcp/1")),
        seen(("/ip4/8.8.8.8/tcp/1", "/ip4/45.0.0.9/tcp/1"), ("/ip4/9.9.9.9/tcp/1", "/ip4/45.0.0.8/tcp/1")),
        seen(("/ip4/8.8.8.8/tcp/1", "/ip4/10.0.0.9/tcp/1"), ("/ip4/9.9.9.9/tcp/1", "/ip4/10.0.0.9/tcp/1")),
        seen(("/ip4/8.8.8.8/tcp/1", "/ip4/45.0.0.9/tcp/1"), ("/ip4/10.9.9.9/tcp/1", "/ip4/45.0.0.9/tcp/1")),
    ],
    ids=["one", "one network", "no agreement", "private", "seen by a neighbour"],
)
def test_one_network_alone_cannot_say_where_we_are(pairs):
    assert candidates.candidates(bytes_of(*HOME), (), pairs) == []


def test_however_many_are_claimed_few_are_asked_about():
    claims = seen(
        *(
            (f"/ip4/8.{network}.0.1/tcp/1", f"/ip4/45.0.0.{number}/tcp/1")
            for number in range(1, 100)
            for network in range(2 + (number == 50))
        )
    )
    found = texts_of(candidates.candidates(bytes_of(*HOME), (), claims))
    assert len(found) == 2
    assert found[0] == "/ip4/45.0.0.50/tcp/4001"
    many = bytes_of(*(f"/ip4/45.1.0.{number}/tcp/1" for number in range(1, 100)))
    assert len(candidates.candidates(many, (), ())) == candidates.MOST


def test_addresses_of_the_user_come_first():
    given = bytes_of("/dns4/node.example/tcp/4001", "/ip4/10.0.0.1/tcp/1")
    found = texts_of(candidates.candidates(bytes_of("/ip4/45.0.0.1/tcp/4001"), given, ()))
    assert found == ["/dns4/node.example/tcp/4001", "/ip4/45.0.0.1/tcp/4001"]


def proves(local: str, remote: str, address: str, listening: tuple[str, ...], since: float = 11.0) -> bool:
    arrival = Arrival(bytes_of(local)[0], bytes_of(remote)[0], since)
    return candidates.proves(arrival, bytes_of(address)[0], bytes_of(*listening), asked=10.0)


OURS, NATTED, AFAR = "/ip4/45.0.0.1/tcp/4001", "/ip4/192.168.1.5/tcp/4001", "/ip4/8.8.8.8/tcp/5"


def test_a_dial_to_the_very_address_is_proof():
    assert proves(OURS, AFAR, OURS, (OURS,))


def test_behind_a_nat_a_dial_to_the_private_address_is():
    assert proves(NATTED, AFAR, OURS, (NATTED,))
    assert proves(NATTED, AFAR, "/dns4/node.example/tcp/4001", (NATTED,))


@pytest.mark.parametrize(
    "told",
    [
        {"since": 9.0},
        {"remote": "/ip4/192.168.1.7/tcp/5"},
        {"remote": "/ip4/45.0.0.1/tcp/5"},
        {"local": "/ip4/45.0.0.2/tcp/4001"},
        {"local": NATTED},
    ],
    ids=["an old connection", "from near", "from our own address", "at another address", "at a private one"],
)
def test_anything_else_is_not(told):
    arguments = {"local": OURS, "remote": AFAR, "since": 11.0, **told}
    assert not proves(address=OURS, listening=(OURS, NATTED), **arguments)


def test_another_family_or_protocol_is_not():
    assert not proves("/ip6/fd00::5/tcp/4001", AFAR, OURS, (NATTED,))
    assert not proves(NATTED + "/ws", AFAR, OURS, (NATTED,))
