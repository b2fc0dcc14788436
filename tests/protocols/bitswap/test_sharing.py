"""Several providers of different speed share the work, in virtual time, with every driver running."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import trio

MB = 1_000_000
KIB = 1_024
WINDOW = 8 << 20


@dataclass
class Outcome:
    """How a session went: seconds, against those that the lines of all providers together would take."""

    seconds: float
    ideal: float
    duplicates: float
    """Part of the bytes that came twice."""
    shares: list[float]
    """Part of the bytes that each provider sent."""


@pytest.fixture
def fetch_from(world, make_blocks, fetch):
    """Fetch `count` blocks of `size` from full providers, given as (bytes per second, one-way latency)."""

    async def run(providers: list[tuple[float, float]], count: int, size: int) -> Outcome:
        blocks = make_blocks(count, size)
        node = await world.node("node")
        nodes = []
        for number, (rate, latency) in enumerate(providers):
            nodes.append(await world.node(f"provider {number}", blocks, upload=rate))
            world.internet.connect(node.network, nodes[-1].network, latency=latency, window=WINDOW)
        start = trio.current_time()
        await fetch(node, blocks)
        seconds = trio.current_time() - start
        # What is late is counted too.
        await trio.sleep(10)
        duplicates = node.bitswap.stat().duplicate_bytes / (count * size)
        shares = [each.bitswap.stat().bytes_sent / (count * size) for each in nodes]
        return Outcome(seconds, count * size / sum(rate for rate, _ in providers), duplicates, shares)

    return run


@pytest.mark.parametrize(
    ("providers", "count", "size"),
    [
        ([(20 * MB, 0.01)], 64, 1024 * KIB),
        ([(20 * MB, 0.01)] * 3, 96, 1024 * KIB),
        ([(2 * MB, 0.02)] * 3, 100, 256 * KIB),
        ([(20 * MB, 0.01), (5 * MB, 0.01), (1 * MB, 0.01)], 100, 1024 * KIB),
        ([(20 * MB, 0.001), (5 * MB, 0.05), (1 * MB, 0.15)], 128, 1024 * KIB),
        ([(5 * MB, 0.1), (5 * MB, 0.05), (1 * MB, 0.001)], 128, 1024 * KIB),
        ([(4 * MB, 0.001), (1 * MB, 0.01), (0.2 * MB, 0.05)], 400, 64 * KIB),
        ([(1 * MB, 0.01), (0.05 * MB, 0.01)], 100, 1024 * KIB),
        ([(4 * MB, 0.001)] * 4, 10_000, 4 * KIB),
        ([(2 * MB, 0.01), (0.5 * MB, 0.01), (0.1 * MB, 0.01)], 2_000, 4 * KIB),
    ],
)
async def test_the_lines_of_all_providers_are_used(fetch_from, autojump_clock, providers, count, size):
    outcome = await fetch_from(providers, count, size)
    assert outcome.seconds <= outcome.ideal / 0.9
    assert outcome.duplicates <= 0.02


async def test_four_sources_are_as_good_as_four(fetch_from, autojump_clock):
    outcome = await fetch_from([(20 * MB, 0.01)] * 4, 128, 1024 * KIB)
    alone = 128 * 1024 * KIB / (20 * MB)
    assert alone / outcome.seconds >= 3.6
    assert outcome.duplicates <= 0.02
    assert all(0.22 <= share <= 0.28 for share in outcome.shares)


async def test_work_is_shared_by_speed(fetch_from, autojump_clock):
    outcome = await fetch_from([(8 * MB, 0.01), (4 * MB, 0.01), (1 * MB, 0.01)], 400, 128 * KIB)
    assert outcome.shares == pytest.approx([8 / 13, 4 / 13, 1 / 13], rel=0.2)


async def test_the_last_blocks_do_not_wait_for_a_slow_peer(fetch_from, autojump_clock):
    """Either alone would be asked for two of them; the slow one would need ten seconds for each."""
    outcome = await fetch_from([(20 * MB, 0.01), (0.1 * MB, 0.01)], 32, 1024 * KIB)
    assert outcome.seconds <= 1.25 * outcome.ideal + 0.2
    # One block was begun there before anything was known of the peer's speed.
    assert outcome.duplicates <= 1 / 32


async def test_a_steady_reader_is_not_held_up_by_a_slow_peer(world, autojump_clock, make_blocks):
    """Blocks are wanted a few ahead of a reader that takes them in order."""
    blocks = make_blocks(96, 1024 * KIB)
    node = await world.node("node")
    for name, rate in (("fast", 20 * MB), ("slow", 1 * MB)):
        provider = await world.node(name, blocks, upload=rate)
        world.connect(node, provider)
    start = trio.current_time()
    async with node.bitswap.session() as session:
        session.want(block.cid for block in blocks[:16])
        here = set()
        for number, block in enumerate(blocks):
            while block.cid not in here:
                here.add((await session.receive()).cid)
            session.want(after.cid for after in blocks[number + 16 : number + 17])
    assert trio.current_time() - start <= 1.25 * len(blocks) * 1024 * KIB / (20 * MB)
    assert node.bitswap.stat().duplicate_blocks <= 2


async def test_many_fast_providers_send_few_copies(world, autojump_clock, make_blocks, fetch):
    blocks = make_blocks(2_000, 4 * KIB)
    node = await world.node("node")
    for number in range(12):
        world.connect(node, await world.node(f"provider {number}", blocks), latency=0.001)
    await fetch(node, blocks)
    await trio.sleep(5)
    assert node.bitswap.stat().duplicate_blocks <= 0.02 * len(blocks)
