"""One who comes as many: sixteen identities, each of which costs as much of the thread's time as it may."""

from __future__ import annotations

import itertools
import os
from contextlib import suppress

import trio

from peershelf.blockstore.block import Block
from peershelf.protocols.bitswap.messages import Message, WantEntry
from peershelf.protocols.errors import TransportError

MIB = 1 << 20
IDENTITIES = 16
"""As many connections as one address may have."""
WANTS = 500


def full_wantlist() -> Message:
    cids = [Block.create(os.urandom(32)).cid for _ in range(WANTS)]
    return Message(wants=tuple(WantEntry(cid) for cid in cids), full=True)


async def test_sixteen_identities_together_take_one_share(siege, stranger, many, victim, by_hand):
    """All replace their wantlists without end; they wait for one another, and not others for them."""
    lists = [by_hand.bitswap(full_wantlist()) for _ in "ab"]

    async def flood(peer) -> None:
        with suppress(TransportError):
            for message in itertools.cycle(lists):
                await peer.write(message)

    async with (
        siege(memory=48 * MIB) as watch,
        many(IDENTITIES, stranger) as peers,
        trio.open_nursery() as nursery,
    ):
        for peer in peers:
            nursery.start_soon(flood, peer)
        await trio.sleep(1)  # what all may take at once, ahead of their share, is no matter here
        used = await victim.thread_share(5)
        await watch.transferred.wait()
        nursery.cancel_scope.cancel()
    assert used < 0.55, f"{used:.0%} of the thread"
