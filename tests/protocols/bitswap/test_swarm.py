"""Fifty nodes, one seed and a file: they must trade among themselves, not queue at the seed."""

from random import Random

import trio

NODES = 50
NEIGHBOURS = 8
BLOCKS = 64
BLOCK_SIZE = 32 * 1024
UPLOAD = 500_000
SEED_COPIES = 3


async def test_a_swarm_gets_the_file_and_the_seed_sends_it_three_times_at_most(
    world, autojump_clock, make_blocks, fetch
) -> None:
    blocks = make_blocks(BLOCKS, BLOCK_SIZE)
    seed = await world.node("seed", blocks, upload=UPLOAD)
    nodes = [
        await world.node(f"node-{number}", upload=UPLOAD, download=4 * UPLOAD) for number in range(NODES)
    ]
    connect_at_random(world, seed, nodes)
    async with trio.open_nursery() as nursery:
        for node in nodes:
            nursery.start_soon(fetch, node, blocks)

    assert seed.bitswap.stat().bytes_sent <= SEED_COPIES * BLOCKS * BLOCK_SIZE
    received = sum(node.bitswap.stat().blocks_received for node in nodes)
    needed = NODES * BLOCKS
    assert needed <= received <= 1.1 * needed, "duplicates are wasted lines"


def connect_at_random(world, seed, nodes) -> None:
    """Everybody knows the seed, and some of the others, as peers of one tracker would."""
    random = Random(7)
    for index, node in enumerate(nodes):
        world.connect(seed, node, latency=0.02)
        for other in nodes[:index]:
            if random.random() < NEIGHBOURS / NODES:
                world.connect(other, node, latency=0.02)
