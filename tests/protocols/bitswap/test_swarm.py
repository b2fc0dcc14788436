"""Fifty nodes want the same file, and one has it. In virtual time, with every driver running."""

from __future__ import annotations

from random import Random

import trio

NODES = 50
BLOCKS = 64
BLOCK_SIZE = 65_536
UPLOAD = 1_000_000
DOWNLOAD = 4_000_000
NEIGHBOURS = 6


def connect_at_random(world, nodes) -> None:
    """Chain the nodes, so that none is left out, and add links at random: about NEIGHBOURS each in all."""
    random = Random(7)
    for index, node in enumerate(nodes):
        for earlier, other in enumerate(nodes[:index]):
            if earlier == index - 1 or random.random() < NEIGHBOURS / NODES:
                world.connect(node, other, latency=random.uniform(0.02, 0.05))


async def test_a_swarm_takes_few_copies_from_its_seed(world, autojump_clock, make_blocks, fetch):
    blocks = make_blocks(BLOCKS, BLOCK_SIZE)
    rates = {"upload": UPLOAD, "download": DOWNLOAD}
    seed = await world.node("seed", blocks, **rates)
    leechers = [await world.node(f"leecher {number}", **rates) for number in range(1, NODES)]
    connect_at_random(world, [seed, *leechers])
    async with trio.open_nursery() as nursery:
        for leecher in leechers:
            nursery.start_soon(fetch, leecher, blocks)
    file_size = BLOCKS * BLOCK_SIZE
    assert seed.bitswap.stat().bytes_sent <= 3 * file_size
    stats = [leecher.bitswap.stat() for leecher in leechers]
    assert sum(stat.duplicate_blocks for stat in stats) < 0.1 * BLOCKS * len(leechers)
    assert all(stat.protocol_errors == stat.unrequested_blocks == 0 for stat in stats)
    # The seed alone would take as long for each of its neighbours' copies as the file takes on its line.
    assert trio.current_time() < 4 * file_size / UPLOAD
