"""Peers that send a block or a few, are asked for more, and send nothing; others come after them."""

from __future__ import annotations

import pytest
import trio
from claiming import claims, of, ordered, told
from reading import read_in_order

from peershelf.protocols.bitswap.messages import Message

RATE = 4_000_000
FILE, SIZE = 500, 20_000
ALONE = FILE * SIZE / RATE
AHEAD = 32
"""Blocks that the reader wants before it has taken those before them: 0.16 seconds of them."""
FAIR = 0.8
"""Part of its own speed that an honest peer keeps at least."""
PAUSE = 0.2
"""Seconds after which others come."""


class Withholder:
    """Claims all, and sends the first `gives` of the blocks that it is asked for; or is told of, if so."""

    def __init__(self, world, node, name: str, blocks, gives: int, of_told: bool) -> None:
        self._by_cid = {block.cid: block for block in blocks}
        self._left = gives
        self._of_told = of_told
        self.stranger = world.stranger(name, node, react=self._react)

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


@pytest.mark.parametrize("latency", [0.02, 0.05, 0.1])
async def test_whoever_comes_later_is_not_preferred_for_its_name(world, autojump_clock, make_blocks, latency):
    """Nobody is known yet, each is waited for, and leaves; names are an order in which peers may be asked."""
    blocks = make_blocks(1, SIZE)
    node = await world.node("node")
    provider = await world.node("zz provider", blocks)
    world.internet.connect(node.network, provider.network, latency=latency)

    async def come(number: int) -> None:
        await trio.sleep(number * 0.06)
        for turn in range(1_000):
            name = f"withholder {number}.{turn}"
            peer = Withholder(world, node, name, blocks, gives=0, of_told=False)
            await trio.sleep(1.5 * PAUSE)
            world.disconnect(node, peer.stranger)

    for number in range(5):
        world.nursery.start_soon(come, number)
    await trio.sleep(2 * PAUSE)
    start = trio.current_time()
    await read_in_order(node, blocks, AHEAD)
    assert trio.current_time() - start < 6 * PAUSE + 10 * latency
