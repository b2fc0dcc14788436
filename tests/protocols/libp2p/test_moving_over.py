"""Bitswap keeps its streams open: what becomes of a transfer when their connection is superseded."""

from __future__ import annotations

from contextlib import aclosing
from random import Random

import pytest
import trio
from libp2p.peer.id import ID

from peershelf.blockstore.block import Block
from peershelf.blockstore.store.memory import MemoryStore
from peershelf.protocols.bitswap import Bitswap
from peershelf.protocols.libp2p import HostLimits, keeper
from peershelf.protocols.libp2p.addresses import Multiaddr

BLOCKS = [Block.create(Random(seed).randbytes(50_000)) for seed in range(200)]


@pytest.fixture
async def sides(make_host, nursery, monkeypatch):
    """Two hosts with bitswap, the smaller peer ID first; both hold all blocks but the one that takes."""
    monkeypatch.setattr(keeper, "SETTLE", 0.1)
    hosts = [make_host(limits=HostLimits(drain=0.2)) for _ in range(2)]
    hosts.sort(key=lambda host: ID.from_base58(host.local_peer).to_bytes())
    made = []
    for host in hosts:
        store = MemoryStore()
        exchange = Bitswap(host, store)
        await nursery.start(exchange.run)
        await nursery.start(host.run)
        made.append((host, store, exchange))
    return made


async def dial(a, b):
    await a._swarm.dial_addr(Multiaddr(b.addresses()[0]), ID.from_base58(b.local_peer))


@pytest.mark.parametrize("small_gives", [True, False])
async def test_it_goes_on_over_the_one_that_stays(sides, eventually, small_gives):
    (small, *_), (great, *_) = sides
    (_, store, _), (_, _, taking) = sides if small_gives else sides[::-1]
    store.put_many(BLOCKS)
    await dial(great, small)
    (doomed,) = small._keeper.table
    came = 0
    with trio.fail_after(20):
        async with aclosing(taking.get_blocks(block.cid for block in BLOCKS)) as found:
            async for _ in found:
                came += 1
                if came == 5:
                    await dial(small, great)
                if came == 100:
                    await eventually(lambda: doomed not in list(small._keeper.table))
    assert came == len(BLOCKS)
    await eventually(lambda: len(small.connections()) == len(great.connections()) == 1)
