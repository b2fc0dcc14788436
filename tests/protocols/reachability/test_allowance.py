"""How many questions are answered."""

from __future__ import annotations

from peershelf.protocols.reachability.allowance import (
    MOST,
    MOST_AT_A_TIME,
    MOST_OF_AN_ADDRESS,
    MOST_WITH_DATA,
    WINDOW,
    Allowance,
)
from peershelf.protocols.transport import PeerId


def answered(allowance: Allowance, name: str, now: float) -> bool:
    taken = allowance.begin(PeerId(name), f"address of {name}", now)
    if taken:
        allowance.end(PeerId(name))
    return taken


def test_an_address_and_all_of_them_have_so_many_in_a_minute():
    allowance = Allowance()
    assert sum(answered(allowance, "one", 0.0) for _ in range(100)) == MOST_OF_AN_ADDRESS
    assert sum(answered(allowance, str(number), 1.0) for number in range(100)) == MOST - MOST_OF_AN_ADDRESS
    assert not answered(allowance, "two", WINDOW - 0.1)
    assert answered(allowance, "one", WINDOW)
    assert sum(answered(allowance, "one", 10 * WINDOW) for _ in range(100)) == MOST_OF_AN_ADDRESS
    assert list(allowance._counts) == ["address of one"]


def test_identities_at_one_address_have_no_more_than_one_of_them():
    allowance = Allowance()
    for number in range(100):
        if allowance.begin(PeerId(str(number)), "one address", 0.0):
            allowance.end(PeerId(str(number)))
    assert len(allowance._taken) == MOST_OF_AN_ADDRESS
    assert answered(allowance, "somebody else", 0.0)


def test_a_peer_has_one_at_a_time_and_all_have_some():
    allowance = Allowance()
    assert allowance.begin(PeerId("one"), "one", 0.0)
    assert not allowance.begin(PeerId("one"), "one", 0.0)
    others = [PeerId(str(number)) for number in range(50)]
    assert sum(allowance.begin(peer, peer, 0.0) for peer in others) == MOST_AT_A_TIME - 1
    allowance.end(PeerId("one"))
    assert allowance.begin(PeerId("one"), "one", 0.0)


def test_addresses_of_others_have_a_bound_of_their_own():
    allowance = Allowance()
    assert sum(allowance.with_data(0.0) for _ in range(50)) == MOST_WITH_DATA
    assert not allowance.with_data(WINDOW - 0.1)
    assert allowance.with_data(WINDOW)
