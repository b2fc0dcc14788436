"""Peers that claim to have all, and go on sending what is right and of no use for what they are asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import repeat

import pytest
import trio
from claiming import claims, of, ordered
from reading import read_in_order

from peershelf.blockstore.block import Block
from peershelf.protocols.bitswap.messages import Message, Presence

RATE = 1_000_000
FILE, SIZE = 300, 20_000
ALONE = FILE * SIZE / RATE
FAIR = 0.8
"""Part of its own speed that an honest peer keeps at least."""
AHEAD = 24
"""Blocks that a reader wants before it has taken those before them."""

often = pytest.mark.parametrize("pause", [0.02, 0.1])


class Copier:
    """Claims all that it is asked about; sends the first of its blocks that is asked for, and goes on.

    What it goes on with is what `goes_on` gives for that block, a message after each `pause`, in seconds.
    """

    def __init__(self, world, node, blocks: Iterable[Block], pause: float) -> None:
        self._by_cid = {block.cid: block for block in blocks}
        self._pause = pause
        self._nursery = world.nursery
        self._first: Block | None = None
        self.goes_on: Callable[[Block], Iterable[Message]] = lambda first: repeat(of(first))
        self.stranger = world.stranger("copier", node, react=self._react)

    async def _react(self, stranger, message: Message) -> None:
        if claimed := claims(message):
            await stranger.say(Message(presences=claimed))
        known = [self._by_cid[cid] for cid in ordered(message) if cid in self._by_cid]
        if known and self._first is None:
            self._first = known[0]
            self._nursery.start_soon(self._send)

    async def _send(self) -> None:
        self.stranger.reply = await self.stranger.open_stream()  # claims may be on their way on the other
        await self.stranger.say(of(self._first))
        for message in self.goes_on(self._first):
            await self.stranger.say(message)
            await trio.sleep(self._pause)


@pytest.fixture(params=["all at once", "in order"])
def read(request):
    """Fetches blocks, and fails if that takes much longer than from the honest peer alone."""

    async def at_once(node, blocks) -> None:
        await request.getfixturevalue("fetch")(node, blocks)

    async def in_order(node, blocks) -> None:
        await read_in_order(node, blocks, AHEAD)

    async def read(node, blocks) -> None:
        start = trio.current_time()
        await (in_order if request.param == "in order" else at_once)(node, blocks)
        assert ALONE / (trio.current_time() - start) >= FAIR

    return read


@often
async def test_one_block_over_and_over(world, autojump_clock, make_blocks, read, pause):
    blocks = make_blocks(FILE, SIZE)
    node = await world.node("node")
    world.connect(node, await world.node("provider", blocks, upload=RATE))
    Copier(world, node, blocks, pause)
    await read(node, blocks)


@often
async def test_words_after_one_block(world, autojump_clock, make_blocks, read, pause):
    blocks = make_blocks(FILE, SIZE)
    node = await world.node("node")
    world.connect(node, await world.node("provider", blocks, upload=RATE))
    copier = Copier(world, node, blocks, pause)
    copier.goes_on = lambda first: repeat(Message(presences=(Presence(first.cid, have=True),) * 250))
    await read(node, blocks)


@pytest.mark.parametrize("pause", [0.003, 0.05])
async def test_what_another_session_wants(world, autojump_clock, make_blocks, fetch, read, pause):
    blocks, others = make_blocks(FILE, SIZE), make_blocks(10 * FILE, SIZE, seed=1)
    by_cid = {block.cid: block for block in others}
    node = await world.node("node")
    world.connect(node, await world.node("provider", blocks, upload=RATE))
    copier = Copier(world, node, others, pause)

    def theirs(first: Block) -> Iterable[Message]:
        sent = {first.cid}
        while True:
            wanted = [cid for message in copier.stranger.messages for cid in ordered(message)]
            new = [cid for cid in wanted if cid in by_cid and cid not in sent]
            sent.update(new[:1])
            yield of(by_cid[new[0]]) if new else Message()

    copier.goes_on = theirs
    world.nursery.start_soon(fetch, node, others)
    await trio.sleep(2)
    await read(node, blocks)


@often
async def test_what_was_wanted_and_is_no_longer(world, autojump_clock, make_blocks, read, pause):
    blocks, others = make_blocks(FILE, SIZE), make_blocks(500, SIZE, seed=1)
    node = await world.node("node")
    world.connect(node, await world.node("provider", blocks, upload=RATE))
    copier = Copier(world, node, others, pause)
    copier.goes_on = lambda first: map(of, others[1:])
    with trio.move_on_after(0.5):
        async with node.bitswap.session() as session:
            session.want([block.cid for block in others])
            await session.receive()
            await trio.sleep_forever()
    await read(node, blocks)
