"""How many questions are answered."""

from __future__ import annotations

from peershelf.protocols.reachability.allowance import (
    MOST,
    MOST_AT_A_TIME,
    MOST_OF_A_PEER,
    MOST_WITH_DATA,
    WINDOW,
    Allowance,
)
from peershelf.protocols.transport import PeerId


def answered(allowance: Allowance, name: str, now: float) -> bool:
    taken = allowance.begin(PeerId(name), now)
    if taken:
        allowance.end(PeerId(name))
    return taken


def test_a_peer_and_all_of_them_have_so_many_in_a_minute():
    allowance = Allowance()
    assert sum(answered(allowance, "one", 0.0) for _ in range(100)) == MOST_OF_A_PEER
    assert sum(answered(allowance, str(number), 1.0) for number in range(100)) == MOST - MOST_OF_A_PEER
    assert not answered(allowance, "two", WINDOW - 0.1)
    assert answered(allowance, "one", WINDOW)
    assert sum(answered(allowance, "one", 10 * WINDOW) for _ in range(100)) == MOST_OF_A_PEER
    assert list(allowance._counts) == ["one"]


def test_a_peer_has_one_at_a_time_and_all_have_some():
    allowance = Allowance()
    assert allowance.begin(PeerId("one"), 0.0)
    assert not allowance.begin(PeerId("one"), 0.0)
    others = [PeerId(str(number)) for number in range(50)]
    assert sum(allowance.begin(peer, 0.0) for peer in others) == MOST_AT_A_TIME - 1
    allowance.end(PeerId("one"))
    assert allowance.begin(PeerId("one"), 0.0)


def test_addresses_of_others_have_a_bound_of_their_own():
    allowance = Allowance()
    assert sum(allowance.with_data(0.0) for _ in range(50)) == MOST_WITH_DATA
    assert not allowance.with_data(WINDOW - 0.1)
    assert allowance.with_data(WINDOW)
