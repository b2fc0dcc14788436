"""A node under attack, while it fetches a file from an honest peer and serves one to another.

Both links carry 1 MB/s, so that undisturbed each transfer takes about two seconds of virtual time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

RATE = 1_000_000
FILE = 100
UNDISTURBED = 2.3
TOLERANCE = 1.25


@asynccontextmanager
async def attacked(world, make_blocks, fetch, **options) -> AsyncIterator:
    """Give the node that is to be attacked; fail unless its honest transfers are done in good time."""
    download, upload = make_blocks(FILE, 20_000, seed=1), make_blocks(FILE, 20_000, seed=2)
    node = await world.node("node", upload, **options)
    provider = await world.node("provider", download, upload=RATE)
    consumer = await world.node("consumer", download=RATE)
    world.connect(node, provider)
    world.connect(node, consumer)
    finished: dict[str, float] = {}

    async def transfer(name, to, blocks):
        await fetch(to, blocks)
        finished[name] = trio.current_time() - start

    async with trio.open_nursery() as nursery:
        start = trio.current_time()
        nursery.start_soon(transfer, "download", node, download)
        nursery.start_soon(transfer, "upload", consumer, upload)
        yield node
    assert finished["download"] < UNDISTURBED * TOLERANCE
    assert finished["upload"] < UNDISTURBED * TOLERANCE
