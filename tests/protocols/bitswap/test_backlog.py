"""Where what has come waits for us, more peers would bring nothing sooner."""

from __future__ import annotations

import pytest
from asking import Asking
from named import A, B, cid_of

from peershelf.blockstore.cid import Cid

MIB = 1 << 20
STEP = 6
SESSION = 1


@pytest.fixture
def asking() -> Asking:
    """Two quick peers that have everything, with nothing on order, and room for more than a step each."""
    asking = Asking(A, B)
    asking.session(*wants(0, 100))
    for peer in (A, B):
        asking.told(peer)
        asking.says(peer, *wants(0, 100), have=True)
    while on_order := [(peer, cid) for peer in (A, B) for cid in asking.asked(peer)]:
        asking.now += 0.05
        for peer, cid in on_order:
            asking.sends(peer, cid, MIB)
            asking.requester.consumed(SESSION, MIB)
    assert not asking.requester.wanted()
    return asking


def wants(start: int, count: int) -> list[Cid]:
    return [cid_of(number) for number in range(start, start + count)]


def has_come(asking: Asking, peer, blocks: int) -> None:
    """Blocks came from a peer that we have not got round to."""
    asking.requester.heard(peer, asking.now, blocks * MIB)
    asking.requester.took_in(peer, blocks)


def asked_next(asking: Asking, count: int = 4) -> tuple[int, int]:
    """How many of some more wants each peer is asked for."""
    asking.requester.want(SESSION, wants(1_000, count))
    return len(asking.asked(A)), len(asking.asked(B))


def test_peers_share_what_they_can_send_sooner_together(asking):
    assert asked_next(asking) == (2, 2)


@pytest.mark.parametrize("busy", [A, B])
def test_one_peer_is_asked_while_much_waits_for_us(asking, busy):
    asking.requester.want(SESSION, wants(500, STEP))
    for peer in (A, B):
        for cid in asking.asked(peer):
            if peer is not busy:
                asking.sends(peer, cid, MIB)
    has_come(asking, busy, 2)
    assert asked_next(asking) == ((4, 0) if busy is A else (0, 4))


def test_others_get_what_that_peer_has_no_room_for(asking):
    asking.requester.want(SESSION, wants(500, STEP))
    asking.asked(A), asking.asked(B)
    has_come(asking, A, 2)
    for_a, for_b = asked_next(asking, 40)
    assert for_a > 0
    assert for_b > 0
    assert asking.requester.wanted()


def test_little_that_waits_keeps_nobody_from_work(asking):
    asking.requester.want(SESSION, wants(500, STEP))
    asking.asked(A), asking.asked(B)
    has_come(asking, A, 1)
    for_a, for_b = asked_next(asking)
    assert for_a > 0
    assert for_b > 0
