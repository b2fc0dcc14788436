"""One node serves peers of very different speed, in virtual time: none costs another anything."""

from __future__ import annotations

import pytest
import trio

from peershelf.protocols.bitswap import BitswapLimits
from peershelf.protocols.bitswap.messages import Message, WantEntry

MIB = 1024 * 1024
UPLOAD = 20_000_000


class Watched:
    """Notes when each taker has all it wants."""

    def __init__(self, world, fetch) -> None:
        self._world = world
        self._fetch = fetch
        self.done: dict[str, float] = {}

    async def fetch(self, seed, name, blocks, *, download=None) -> None:
        taker = await self._world.node(name, download=download)
        self._world.connect(seed, taker)
        start = trio.current_time()
        await self._fetch(taker, blocks)
        self.done[name] = trio.current_time() - start


@pytest.fixture
def watched(world, fetch):
    return Watched(world, fetch)


async def test_three_peers_of_very_different_speed(world, watched, autojump_clock, make_blocks):
    """The slow one is a thousand times slower than the line that serves it."""
    blocks = make_blocks(32, MIB)
    seed = await world.node("seed", blocks, upload=UPLOAD)
    await watched.fetch(seed, "alone", blocks)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: watched.fetch(seed, "slow", blocks[:4], download=20_000))
        nursery.start_soon(lambda: watched.fetch(seed, "medium", blocks, download=2_000_000))
        await trio.sleep(1)
        await watched.fetch(seed, "fast", blocks)
    done = watched.done
    # The medium one takes a tenth of the line, the slow one nothing that matters.
    assert done["fast"] < 1.2 * done["alone"]
    assert done["medium"] < 1.1 * 32 * MIB / 2_000_000
    assert done["slow"] < 1.05 * 4 * MIB / 20_000


@pytest.mark.parametrize("others", [2, 30])
async def test_a_quick_peer_that_comes_to_slow_ones_long_served(
    world, watched, autojump_clock, make_blocks, fetch, others
):
    blocks = make_blocks(32, MIB)
    seed = await world.node("seed", blocks, upload=UPLOAD)
    await watched.fetch(seed, "alone", blocks)
    async with trio.open_nursery() as nursery:
        for number in range(others):
            slow = await world.node(f"slow {number}", download=20_000)
            world.connect(seed, slow)
            nursery.start_soon(fetch, slow, blocks)
        await trio.sleep(400)  # by now the seed knows nothing but slowness
        await watched.fetch(seed, "fast", blocks)
        nursery.cancel_scope.cancel()
    assert watched.done["fast"] < 1.3 * watched.done["alone"]


async def test_peers_that_do_not_read_at_all_hold_up_nobody(world, watched, autojump_clock, make_blocks):
    blocks = make_blocks(32, MIB)
    seed = await world.node("seed", blocks, upload=UPLOAD)
    await watched.fetch(seed, "alone", blocks)
    for number in range(20):
        deaf = world.stranger(f"deaf {number}", seed, reads=False)
        await deaf.say(Message(wants=tuple(WantEntry(block.cid) for block in blocks)))
    await watched.fetch(seed, "fast", blocks)
    assert watched.done["fast"] < 1.2 * watched.done["alone"]


async def test_equal_peers_get_equal_shares(world, watched, autojump_clock, make_blocks):
    seed = await world.node("seed", upload=UPLOAD)
    async with trio.open_nursery() as nursery:
        for number in range(3):
            blocks = make_blocks(16, MIB, seed=number)
            seed.store.put_many(blocks)
            nursery.start_soon(watched.fetch, seed, f"taker {number}", blocks)
    assert min(watched.done.values()) > 0.85 * max(watched.done.values())
    assert max(watched.done.values()) < 1.1 * 48 * MIB / UPLOAD


async def test_what_is_read_ahead_for_a_peer_that_does_not_read_is_bounded(
    world, autojump_clock, make_blocks
):
    blocks = make_blocks(64, MIB)
    limits = BitswapLimits(buffered_per_peer=3 * MIB, buffered_total=8 * MIB)
    seed = await world.node("seed", blocks, limits=limits)
    engine = seed.bitswap._engine
    for number in range(10):
        deaf = world.stranger(f"deaf {number}", seed, reads=False)
        await deaf.say(Message(wants=tuple(WantEntry(block.cid) for block in blocks)))
        await trio.sleep(5)
        assert engine._bytes_sending <= limits.buffered_total
        assert all(one._bytes_sending <= limits.buffered_per_peer for one in engine._ledgers.values())
    assert engine._bytes_sending > limits.buffered_total // 2
