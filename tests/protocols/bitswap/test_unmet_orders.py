"""What was asked of a peer and does not come although it sends, and whom to ask then."""

from __future__ import annotations

from asking import Asking
from named import A, B, cid_of, cids_of

from peershelf.protocols.bitswap.limits import BitswapLimits

LIMITS = BitswapLimits()
SIZE = 100_000
LATENCY = 0.05


def orders(asking: Asking, *cids) -> list:
    """Begin a session whose blocks both say that they have; return what A is asked for."""
    asking.session(*cids)
    ordered = asking.asked(A)
    asking.told(B)
    asking.says(B, *cids, have=True)
    return ordered


def comes(asking: Asking, cid) -> None:
    """A sends a block that it was asked for."""
    asking.requester.heard(A, asking.now, SIZE)
    asking.requester.took_in(A, 1)
    asking.requester.checked(A)
    asking.sends(A, cid, SIZE)


def deliverer() -> Asking:
    """A has sent 20 blocks, and B is there as well, and has sent none."""
    asking = Asking(A)
    asking.session(*cids_of(20))
    while ordered := asking.asked(A):
        asking.now += LATENCY
        for cid in ordered:
            comes(asking, cid)
    asking.requester.peer_connected(B, asking.now)
    return asking


def test_a_peer_that_sends_copies_is_silent_however_many_are_being_hashed():
    asking = deliverer()
    assert orders(asking, cid_of(100)) == [cid_of(100)]
    for _ in range(10):
        asking.passes(0.1)
        asking.requester.heard(A, asking.now, SIZE)
        asking.requester.took_in(A, 2)
        asking.requester.checked(A)
        asking.requester.useless(A, cid_of(1).multihash, SIZE, asking.now)
    assert asking.asked(B) == [cid_of(100)]


def test_what_was_passed_over_for_what_was_asked_for_later_is_asked_of_another():
    asking = deliverer()
    assert orders(asking, cid_of(100)) == [cid_of(100)]
    others = cids_of(600)[200:]
    asking.session(*others)
    asking.told(B)
    asking.says(B, *others, have=False)
    for _ in range(20):
        ordered = asking.asked(A)
        asking.passes(LATENCY)
        asking.requester.heard(A, asking.now, SIZE)
        for cid in ordered:
            comes(asking, cid)
    assert asking.asked(B) == [cid_of(100)]


def test_blocks_that_come_a_little_out_of_order_are_not_passed_over():
    asking = deliverer()
    assert orders(asking, cid_of(100)) == [cid_of(100)]
    asking.passes(LATENCY)
    assert orders(asking, cid_of(101)) == [cid_of(101)]
    asking.passes(LATENCY)
    comes(asking, cid_of(101))
    for _ in range(4):
        asking.passes(LATENCY)
        asking.requester.heard(A, asking.now, SIZE // 4)
    assert asking.asked(B) == []


def test_who_went_silent_is_asked_for_little_until_it_delivers():
    asking = deliverer()
    asking.session(*cids_of(160)[100:])
    assert len(asking.asked(A)) > LIMITS.window_peer
    asking.passes(3)
    asking.requester.close(2, asking.now)
    asking.told(A)
    asking.passes(20)
    asking.session(*cids_of(260)[200:])
    asking.told(B)
    asking.told(A)
    asking.says(A, *cids_of(260)[200:], have=True)
    ordered = asking.asked(A)
    assert len(ordered) == LIMITS.window_peer
    comes(asking, ordered[0])
    assert len(asking.asked(A)) > LIMITS.window_peer
