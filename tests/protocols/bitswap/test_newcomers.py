"""Peers that have not proven themselves: what they may not be asked for, surer ones are."""

from __future__ import annotations

import pytest
from asking import Asking
from named import A, B, C, cid_of, cids_of

from peershelf.protocols.bitswap.requester import Verdict

SIZE = 20_000
QUICK, SLOW = 0.01, 0.15
"""Seconds that a peer takes for a block."""
WANTED = cid_of(100)


@pytest.fixture
def asking() -> Asking:
    return Asking(A, B, C)


@pytest.fixture
def session(asking):
    """A session that B has sent four blocks, slowly, and C one, quickly."""
    session = asking.session()
    cids = cids_of(5)
    comes_from(asking, session, C, cids[:1], QUICK)
    comes_from(asking, session, B, cids[1:], SLOW)
    return session


def comes_from(asking, session, peer, cids, seconds) -> None:
    """Blocks are wanted one after the other, and a peer sends them that alone has them."""
    for cid in cids:
        want(asking, session, cid, has=[peer])
        asking.told(peer)
        asking.passes(seconds)
        asking.requester.heard(peer, asking.now, SIZE)
        asking.requester.took_in(peer, 1)
        asking.requester.checked(peer)
        assert asking.sends(peer, cid, SIZE) == (Verdict.WANTED, [session])


def want(asking, session, cid, has) -> None:
    asking.requester.want(session, [cid])
    for peer in (A, B, C):
        asking.told(peer)
    for peer in (A, B, C):
        asking.says(peer, cid, have=peer in has)


def test_a_quick_newcomer_is_asked_before_a_slow_peer(asking, session):
    want(asking, session, WANTED, has=[B, C])
    assert asking.asked(C) == [WANTED]
    assert asking.asked(B) == []


def test_a_slow_peer_is_asked_for_what_is_overdue(asking, session):
    comes_from(asking, session, A, cids_of(10)[6:], QUICK)
    want(asking, session, WANTED, has=[A])
    asking.told(A)
    for peer in (B, C):
        asking.says(peer, WANTED, have=True)
    asking.passes(0.5)
    assert asking.asked(B) == [WANTED]
    assert asking.asked(C) == []


def test_a_slow_peer_is_asked_while_newcomers_have_to_wait(asking, session):
    unsent = cid_of(200)
    want(asking, session, unsent, has=[A])
    asking.told(A)
    asking.passes(1.0)
    want(asking, session, WANTED, has=[B, C])
    assert asking.asked(B) == [WANTED]
    assert asking.asked(C) == []


@pytest.mark.parametrize("count", [1, 2])
def test_a_newcomer_is_not_asked_for_what_is_overdue_while_a_surer_peer_has_no_room(asking, session, count):
    comes_from(asking, session, A, cids_of(10)[6:], QUICK)
    for cid in cids_of(30)[20:]:
        want(asking, session, cid, has=[B])
        asking.told(B)
    overdue = cids_of(102)[-count:]
    for cid in overdue:
        want(asking, session, cid, has=[A])
        asking.told(A)
    for peer in (B, C):
        asking.says(peer, *overdue, have=True)
    asked = keeps_sending(asking, B, seconds=0.5)
    assert not asked & set(overdue)


@pytest.mark.parametrize("waits", [True, False])
def test_a_newcomer_takes_nothing_over_while_it_has_to_wait(asking, session, waits):
    if waits:
        want(asking, session, WANTED, has=[A])
        asking.told(A)
        asking.passes(1.0)
        asking.says(A, WANTED, have=False)
    queue = cids_of(26)[20:]
    for cid in queue:
        want(asking, session, cid, has=[B])
        asking.told(B)
    asking.says(C, *queue, have=True)
    taken = keeps_sending(asking, B, seconds=0.5)
    assert bool(taken & set(queue)) != waits


def keeps_sending(asking, peer, seconds) -> set:
    """A peer goes on with a block. Returns what C is asked for meanwhile."""
    asked = set()
    for _ in range(round(seconds / 0.05)):
        asking.passes(0.05)
        asking.requester.heard(peer, asking.now, round(SIZE * 0.05 / SLOW))
        asked.update(asking.asked(C))
    return asked
