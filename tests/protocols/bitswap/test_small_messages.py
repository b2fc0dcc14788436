"""Messages of a few bytes: many come together, and what they cost is little by little."""

from __future__ import annotations

import pytest
import trio
from paying import Thread, all_taken

MANY = 1_000
EMPTY = b"\x00"
COST = 0.001


@pytest.fixture
async def node(world, monkeypatch):
    thread = Thread()
    node = await world.node("node", cpu=thread)
    inner = node.bitswap._inbound._received

    async def received(*arguments) -> None:
        thread.used += COST
        await inner(*arguments)

    monkeypatch.setattr(node.bitswap._inbound, "_received", received)
    return node


@pytest.fixture
def turns(node, monkeypatch) -> list[object]:
    taken: list[object] = []
    pacing = node.bitswap._inbound._pacing
    inner = pacing.turn
    monkeypatch.setattr(pacing, "turn", lambda peer: (taken.append(peer), inner(peer))[1])
    return taken


async def test_what_comes_together_is_dealt_with_in_one_turn(world, node, turns, autojump_clock):
    stranger = world.stranger("chatty", node)
    await stranger.write(EMPTY * MANY)
    await all_taken(stranger)
    assert node.bitswap.stat().messages_received == MANY + 1
    assert len(turns) < 5


async def test_it_is_paid_with_rest(world, node, autojump_clock):
    stranger = world.stranger("chatty", node)
    start = trio.current_time()
    await stranger.write(EMPTY * MANY)
    await all_taken(stranger)
    # A fifth of the time, and a tenth of a second of work ahead.
    assert trio.current_time() - start == pytest.approx((MANY * COST - 0.1) / 0.2, rel=0.1)


async def test_others_are_dealt_with_meanwhile(world, node, autojump_clock):
    stranger, other = world.stranger("chatty", node), world.stranger("other", node)
    await stranger.write(EMPTY * MANY)
    start = trio.current_time()
    await all_taken(other)
    assert trio.current_time() - start < 0.1
