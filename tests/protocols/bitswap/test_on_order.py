"""How much is asked for at a time, in which order, and of how many."""

from __future__ import annotations

from asking import SIZE, Asking
from named import A, B, cid_of, cids_of

from peershelf.blockstore.cid import Cid
from peershelf.protocols.bitswap.limits import BitswapLimits
from peershelf.protocols.transport import PeerId


def test_blocks_are_asked_for_in_order():
    asking = Asking(A, limits=BitswapLimits(window_peer=1))
    asking.session(*cids_of(5))
    order = []
    while cids := asking.asked(A):
        order += cids
        asking.now += 1
        for cid in cids:
            asking.sends(A, cid)
    assert order == cids_of(5)


def test_no_more_is_on_order_than_the_window_and_it_grows_with_bandwidth():
    asking = Asking(A)
    asking.session(*cids_of(400))
    on_order = asking.asked(A)
    assert len(on_order) == BitswapLimits().window_peer
    for _ in range(6):
        asking.now += 0.1
        for cid in on_order:
            asking.sends(A, cid, 50_000)
        on_order = asking.asked(A)
    assert len(on_order) > 50


def test_the_window_does_not_grow_when_only_the_queue_would():
    asking = Asking(A)
    asking.session(*cids_of(400))
    waiting = asking.asked(A)
    for _ in range(100):
        asking.now += 0.5
        asking.sends(A, waiting.pop(0), 100_000)
        waiting += asking.asked(A)
    assert len(waiting) <= 4


def test_no_more_is_on_order_in_all_than_is_known_to_keep_coming():
    peers = [PeerId(f"peer{number}") for number in range(20)]
    asking = Asking(*peers)
    asking.session(*cids_of(100))
    for peer in peers:
        asking.told(peer)
        asking.says(peer, *cids_of(100), have=True)
    assert sum(len(asking.asked(peer)) for peer in peers) == BitswapLimits().window_all


def test_a_peer_that_denies_a_block_is_free_for_another():
    asking = Asking(A, B, limits=BitswapLimits(window_peer=1))
    asking.session(*cids_of(2))
    asking.told(A), asking.told(B)
    asking.says(A, *cids_of(2), have=True)
    assert asking.asked(A) == [cid_of(0)]
    asking.says(B, cid_of(1), have=False)
    asking.passes(1.0)
    asking.says(B, cid_of(0), have=True)
    assert asking.asked(B) == [cid_of(0)]
    for _ in range(25):
        asking.passes(0.1)
        asking.requester.heard(B, asking.now)
    asking.says(A, cid_of(0), have=False)
    assert asking.asked(A) == [cid_of(1)]


def test_sessions_take_turns():
    asking = Asking(A, limits=BitswapLimits(window_peer=4))
    asking.session(*cids_of(10))
    asking.session(cid_of(20), cid_of(21))
    assert asking.asked(A) == [cid_of(0), cid_of(20), cid_of(1), cid_of(21)]


def test_a_consumer_that_does_not_take_blocks_stops_the_asking():
    limits = BitswapLimits(session_undelivered=10 * SIZE, window_peer=4)
    asking = Asking(A, limits=limits)
    session = asking.session(*cids_of(100))
    received = 0
    while cids := asking.asked(A):
        for cid in cids:
            asking.now += 0.1
            asking.sends(A, cid)
            received += 1
    assert received <= 14
    asking.requester.consumed(session, received * SIZE)
    assert asking.asked(A)


def test_peers_are_told_of_a_bounded_part_of_a_session():
    asking = Asking(A, B, limits=BitswapLimits(session_wants=5))
    asking.session(*cids_of(20))
    assert list(asking.told(A)) == list(asking.told(B)) == cids_of(5)
    asking.sends(A, cid_of(0))
    assert asking.told(B) == {cid_of(0): "cancel", cid_of(5): "have"}


def test_a_peer_is_told_no_more_wants_than_peers_keep():
    asking = Asking(A, B)
    for start in range(0, 2_000, 500):
        asking.session(*(cid_of(number) for number in range(start, start + 500)))
    told = asking.told(A)
    assert len(told) <= 1_024
    for cid in told:
        asking.says(A, cid, have=False)
    asking.requester.close(1, asking.now)
    later = asking.told(A)
    kept = len(told) + sum(1 if kind == "have" else -1 for kind in later.values())
    assert "have" in later.values()
    assert kept <= 1_024


def served_until_the_window_is_wide(asking: Asking) -> list[Cid]:
    """A session of many wants at one quick peer; returns what is on order of it."""
    asking.session(*cids_of(400))
    on_order = asking.asked(A)
    for _ in range(6):
        asking.now += 0.05
        for cid in on_order:
            asking.sends(A, cid, 100_000)
        on_order = asking.asked(A)
    assert len(on_order) >= 8
    return on_order


def test_a_full_window_is_asked_for_again_in_steps():
    asking = Asking(A)
    waiting = served_until_the_window_is_wide(asking)
    messages = blocks = 0
    while waiting and blocks < 100:
        asking.now += 0.01
        asking.sends(A, waiting.pop(0), 100_000)
        blocks += 1
        assert waiting
        more = asking.asked(A)
        messages += bool(more)
        waiting += more
    assert messages <= blocks / 3


def test_whoever_has_nothing_on_order_does_not_wait_for_a_step():
    asking = Asking(A)
    waiting = served_until_the_window_is_wide(asking)
    for cid in waiting[:2]:
        asking.sends(A, cid, 100_000)
    assert asking.asked(A) == []
    asking.session(cid_of(1_000))
    assert cid_of(1_000) in asking.asked(A)


def test_a_peer_that_lost_some_wants_is_asked_for_others_soon():
    """Those that it lost keep their places in its window."""
    asking = Asking(A)
    waiting = served_until_the_window_is_wide(asking)
    asking.sends(A, waiting[0], 100_000)
    assert asking.asked(A) == []
    asking.passes(BitswapLimits().look_again)
    assert asking.asked(A)
