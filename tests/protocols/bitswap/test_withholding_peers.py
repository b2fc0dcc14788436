"""Peers that send a block or a few, are asked for more, and send nothing; others come after them."""

from __future__ import annotations

import pytest
import trio
from asking import Asking
from claiming import claims, of, ordered, told
from named import A, B, C, cids_of
from reading import read_in_order

from peershelf.protocols.bitswap.messages import Message
from peershelf.protocols.bitswap.requester import Verdict

RATE = 4_000_000
FILE, SIZE = 500, 20_000
ALONE = FILE * SIZE / RATE
AHEAD = 32
"""Blocks that the reader wants before it has taken those before them: 0.16 seconds of them."""
FAIR = 0.8
"""Part of its own speed that an honest peer keeps at least."""
ROUND_TRIP = 0.02
PAUSE = 0.2
"""Seconds after which others come."""


class Withholder:
    """Claims all, and sends the first `gives` of the blocks that it is asked for; or is told of, if so."""

    def __init__(self, world, node, name: str, blocks, gives: int, of_told: bool) -> None:
        self._by_cid = {block.cid: block for block in blocks}
        self._left = gives
        self._of_told = of_told
        world.stranger(name, node, react=self._react)

    async def _react(self, stranger, message: Message) -> None:
        if claimed := claims(message):
            await stranger.say(Message(presences=claimed))
        for cid in told(message) if self._of_told else ordered(message):
            if self._left:
                self._left -= 1
                await stranger.say(of(self._by_cid[cid]))


@pytest.mark.parametrize(("gives", "of_told"), [(0, False), (1, False), (3, False), (1, True)])
@pytest.mark.parametrize("together", [1, 8])
async def test_withholders_that_come_again_as_others(
    world, autojump_clock, make_blocks, gives, of_told, together
):
    blocks = make_blocks(FILE, SIZE)
    node = await world.node("node")
    world.connect(node, await world.node("provider", blocks, upload=RATE))

    async def come() -> None:
        for wave in range(100):
            for number in range(together):
                Withholder(world, node, f"withholder {wave}.{number}", blocks, gives, of_told)
            await trio.sleep(PAUSE)

    world.nursery.start_soon(come)
    start = trio.current_time()
    await read_in_order(node, blocks, AHEAD)
    assert ALONE / (trio.current_time() - start) >= FAIR


@pytest.mark.parametrize("slow", [100_000, 200_000, 400_000])
async def test_a_slow_peer_sends_what_a_quick_newcomer_is_not_asked_for(
    world, autojump_clock, make_blocks, slow
):
    """After a liar, newcomers have to wait, and who is surer does not leave them what they may not send."""
    blocks = make_blocks(60, SIZE)
    node = await world.node("node")
    world.connect(node, await world.node("slow", blocks, upload=slow))
    async with node.bitswap.session() as session:
        start = trio.current_time()
        for number, block in enumerate(blocks):
            if number == 10:
                Withholder(world, node, "liar", blocks, gives=0, of_told=False)
            if number == 20:
                world.connect(node, await world.node("quick", blocks, upload=100 * slow))
            session.want([block.cid])
            assert await session.receive() == block
    assert trio.current_time() - start <= 1.2 * len(blocks) * (SIZE / slow + ROUND_TRIP)


def test_what_a_quick_newcomer_may_not_have_is_asked_of_a_slow_peer_when_it_is_overdue():
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
