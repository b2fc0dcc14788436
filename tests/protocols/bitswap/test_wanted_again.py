"""Blocks that come for a session that has ended, while another one begins to want them."""

from __future__ import annotations

import trio

from peershelf.protocols.bitswap.messages import Message


class Gate:
    """Stands in for worker threads, and holds up what they do until it is opened."""

    def __init__(self) -> None:
        self.busy = trio.Event()
        self.open = trio.Event()

    async def __call__(self, function, /):
        self.busy.set()
        await self.open.wait()
        return function()


async def test_a_block_that_is_wanted_again_while_it_is_hashed_is_asked_for_again(
    world, autojump_clock, make_blocks, payload
):
    """It was not kept, since nobody wanted it when it came: who wants it now must not wait for it."""
    (block,) = make_blocks(1, 500_000)
    gate = Gate()
    node = await world.node("node", offload=gate)

    async def send(stranger, message: Message) -> None:
        if any(entry.cid == block.cid and not entry.cancel for entry in message.wants):
            await stranger.say(Message(payloads=(payload(block),)))

    stranger = world.stranger("stranger", node, react=None)
    async with node.bitswap.session() as session:
        session.want([block.cid])
        await stranger.until(lambda: stranger.wants)
    await stranger.say(Message(payloads=(payload(block),)))
    await gate.busy.wait()
    stranger.react = send
    async with node.bitswap.session() as session:
        session.want([block.cid])
        gate.open.set()
        with trio.fail_after(60):
            assert await session.receive() == block
    assert node.store.get(block.cid) == block.data
