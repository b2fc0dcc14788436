"""Peers that have not proven themselves: what they may not be asked for, surer ones are."""

from __future__ import annotations

import pytest
import trio
from asking import Asking
from claiming import claims
from named import A, B, C, cids_of

from peershelf.protocols.bitswap.messages import Message
from peershelf.protocols.bitswap.requester import Verdict

COUNT, SIZE = 60, 20_000
ROUND_TRIP = 0.02


async def claim(stranger, message: Message) -> None:
    if claimed := claims(message):
        await stranger.say(Message(presences=claimed))


@pytest.mark.parametrize("slow", [100_000, 200_000, 400_000])
async def test_a_slow_peer_sends_what_a_quick_newcomer_is_not_asked_for(
    world, autojump_clock, make_blocks, slow
):
    blocks = make_blocks(COUNT, SIZE)
    node = await world.node("node")
    world.connect(node, await world.node("slow", blocks, upload=slow))
    async with node.bitswap.session() as session:
        start = trio.current_time()
        for number, block in enumerate(blocks):
            if number == 10:
                world.stranger("liar", node, react=claim)
            if number == 20:
                world.connect(node, await world.node("quick", blocks, upload=100 * slow))
            session.want([block.cid])
            assert await session.receive() == block
    assert trio.current_time() - start <= 1.2 * COUNT * (SIZE / slow + ROUND_TRIP)


def test_a_slow_peer_is_asked_for_what_is_overdue_when_a_quick_newcomer_is_not():
    asking = Asking(A, B, C)
    session = asking.session()

    def next_comes_from(peer, cids, seconds) -> None:
        for cid in cids:
            asking.requester.want(session, [cid])
            for each in (A, B, C):
                asking.told(each)
            for each in {A, B, C} - {peer}:
                asking.says(each, cid, have=False)
            asking.says(peer, cid, have=True)
            asking.told(peer)
            asking.passes(seconds)
            asking.requester.heard(peer, asking.now, SIZE)
            assert asking.sends(peer, cid, SIZE) == (Verdict.WANTED, [session])

    wanted, *others = cids_of(10)
    next_comes_from(C, others[:1], seconds=0.01)
    next_comes_from(A, others[1:5], seconds=0.01)
    next_comes_from(B, others[5:], seconds=0.15)
    asking.requester.want(session, [wanted])
    for each in (A, B, C):
        asking.told(each)
        asking.says(each, wanted, have=True)
    assert asking.asked(A) == [wanted]
    asking.passes(0.5)
    assert asking.asked(B) == [wanted]
    assert asking.asked(C) == []
