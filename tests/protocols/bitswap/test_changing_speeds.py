"""Providers whose speed changes while a reader takes blocks in order, in virtual time."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from random import Random

import pytest
import trio
from reading import read_in_order

SIZE = 262_144
AHEAD = 24
"""Blocks that the reader asks ahead of what it has taken, in two steps."""
UNIT = 250_000
"""Bytes per second in which speeds are given: with blocks four times as large, a unit would be 1 MB/s."""


@dataclass
class Reading:
    """How it went: seconds, and parts of the blocks."""

    seconds: float
    pause: float
    """The longest time in which the reader got nothing, after the change."""
    duplicates: float
    shares: list[float]


@pytest.fixture
def read_from(world, make_blocks):
    """Read `count` blocks in order from full providers; `change` happens to their uplinks meanwhile."""

    async def read(speeds: list[float], count: int, change, *, since: float = 0.0) -> Reading:
        blocks = make_blocks(count, SIZE)
        node = await world.node("node")
        providers = [
            await world.node(f"provider {number}", blocks, upload=speed * UNIT)
            for number, speed in enumerate(speeds)
        ]
        for provider in providers:
            world.connect(node, provider)
        world.nursery.start_soon(change, [provider.network.upload for provider in providers])
        start = trio.current_time()
        times = [at - start for at in await read_in_order(node, blocks, AHEAD)]
        taken = [since, *(at for at in times if at > since)]
        await trio.sleep(10)  # what is late is counted too
        return Reading(
            taken[-1],
            max(after - before for before, after in pairwise(taken)),
            node.bitswap.stat().duplicate_blocks / count,
            [provider.bitswap.stat().blocks_sent / count for provider in providers],
        )

    return read


def falls(at: float, speed: float):
    """The first provider gets slower."""

    async def change(lines) -> None:
        await trio.sleep(at)
        lines[0].rate = speed * UNIT

    return change


def begins(speed: float, seconds: float, *, number: int):
    """A provider is slow at first."""

    async def change(lines) -> None:
        whole, lines[number].rate = lines[number].rate, speed * UNIT
        await trio.sleep(seconds)
        lines[number].rate = whole

    return change


async def stays(_lines) -> None:
    """Nothing changes."""


async def jitters(lines) -> None:
    """Every line is at a twentieth of its speed for three tenths of the time, each at its own times."""
    async with trio.open_nursery() as nursery:
        for number, line in enumerate(lines):
            nursery.start_soon(jitter, line, Random(number))


async def jitter(line, random: Random) -> None:
    whole = line.rate
    while True:
        await trio.sleep(random.uniform(0.35, 1.05))
        line.rate = whole / 20
        await trio.sleep(random.uniform(0.15, 0.45))
        line.rate = whole


@pytest.mark.parametrize(
    ("speeds", "at", "slow", "pause"),
    [([20, 10, 5, 3], 1.5, 0.2, 1.5), ([20, 10, 5, 3], 1.73, 1, 1.2), ([5, 5, 5, 5], 2.0, 0.25, 2.0)],
)
async def test_who_gets_far_slower_holds_a_reader_up_for_about_a_second(
    read_from, autojump_clock, speeds, at, slow, pause
):
    outcome = await read_from(speeds, 120, falls(at, slow), since=0.9 * at)
    assert outcome.pause <= pause
    assert outcome.duplicates <= 0.02
    left = 120 * SIZE / UNIT - at * sum(speeds)
    assert outcome.seconds <= at + 1.5 * left / (sum(speeds[1:]) + slow)


@pytest.mark.parametrize("slow", [0.1, 0.5])
async def test_who_was_slow_once_is_measured_anew(read_from, autojump_clock, slow):
    outcome = await read_from([20, 10, 5, 3], 400, begins(slow, 1.0, number=3))
    assert outcome.shares[3] >= 0.03
    assert outcome.duplicates <= 0.02


async def test_measuring_a_slow_peer_anew_costs_nobody_time(read_from, autojump_clock):
    outcome = await read_from([20, 10, 5, 0.3], 300, stays, since=2.0)
    assert outcome.seconds <= 1.1 * 300 * SIZE / (35.3 * UNIT)
    assert outcome.pause <= 0.8
    assert outcome.duplicates <= 0.02


async def test_lines_that_jitter_are_used_all_the_same(read_from, autojump_clock):
    outcome = await read_from([10, 10, 10, 10], 200, jitters)
    assert outcome.duplicates <= 0.02
    assert all(0.2 <= share <= 0.3 for share in outcome.shares)
    assert outcome.seconds <= 200 * SIZE / (40 * UNIT) / 0.6
