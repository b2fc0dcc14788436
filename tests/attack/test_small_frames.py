"""Peers that make a node work and move next to no data: what they cost is its one thread."""

from __future__ import annotations

import time

import pytest
import trio

DATA, UPDATE, PING, GO_AWAY = range(4)
SYN, ACK, FIN, RST = 1, 2, 4, 8
MIB = 1 << 20
LONG = 3.0
"""Seconds of an attack, over which the victim's CPU time is counted."""
MOST = 0.5
"""Part of a core for the honest transfer and the attack together; a thread that is taken has all of one."""


@pytest.fixture
def cpu_share(victim):
    """`await cpu_share()` returns the part of a core that the victim uses meanwhile."""

    async def share() -> float:
        started, before = time.perf_counter(), sum(victim.process.cpu_times()[:2])
        await trio.sleep(LONG)
        return (sum(victim.process.cpu_times()[:2]) - before) / (time.perf_counter() - started)

    return share


async def test_frames_without_data_leave_the_thread_to_others(siege, secured_peer, by_hand, cpu_share):
    floods = {
        "data frames without data": by_hand.yamux(DATA, 0, 3),
        "credit, a byte at a time": by_hand.yamux(UPDATE, 0, 1, 1),
        "streams that are reset at once": by_hand.yamux(UPDATE, SYN | RST, 3),
        "answers to no ping": by_hand.yamux(PING, ACK, 0, 7),
    }
    async with siege(memory=24 * MIB):
        for name, frame in floods.items():
            async with secured_peer() as peer, trio.open_nursery() as nursery:
                await peer.say(by_hand.yamux(UPDATE, SYN, 1))
                nursery.start_soon(over_and_over, peer, frame * 5_000)
                share = await cpu_share()
                assert share < MOST, f"{name}: {share:.0%} of a core"
                assert not peer.closed.is_set(), name
                nursery.cancel_scope.cancel()


async def test_pings_on_many_streams_leave_the_thread_to_others(siege, secured_peer, by_hand, cpu_share):
    async with siege(memory=48 * MIB), secured_peer() as peer, trio.open_nursery() as nursery:
        nursery.start_soon(ping_on_many, peer, by_hand)
        share = await cpu_share()
        assert share < MOST, f"{share:.0%} of a core"
        assert not peer.closed.is_set()
        nursery.cancel_scope.cancel()


async def ping_on_many(peer, by_hand) -> None:
    """200 streams, each with nearly two thousand pings at once."""
    for number in range(1, 401, 2):
        await peer.say(by_hand.opened(number, "/ipfs/ping/1.0.0", bytes(60_000)))


async def over_and_over(peer, data: bytes) -> None:
    while not peer.closed.is_set():
        await peer.say(data)
