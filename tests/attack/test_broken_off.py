"""Peers that leave in the middle of something, where nothing but the end of the connection ends it."""

from __future__ import annotations

import pytest

MIB = 1 << 20
DATA, SYN = 0, 1
BITSWAP = "/ipfs/bitswap/1.2.0"
SOON = 8.0
"""Seconds. The shortest of the timeouts that would end what is left over is that of negotiations, 10 s."""


@pytest.fixture(scope="module")
def victim(new_victim):
    """One that waits for the rest of a message for much longer than the siege does."""
    with new_victim({"Bitswap.StallTimeout": "10m"}) as running:
        yield running


async def test_frames_that_end_in_the_middle_leave_nothing_behind(siege, secured_peer, by_hand, many):
    halves = [
        by_hand.yamux(DATA, SYN, 1)[:7],
        by_hand.opened(1, BITSWAP)[:-5],
        by_hand.opened(1, BITSWAP) + by_hand.yamux(DATA, 0, 1, 60_000) + bytes(30_000),
        by_hand.opened(1, BITSWAP, b"\xff\xff\x03\x0a"),
    ]
    async with siege(memory=24 * MIB, recovery=SOON):
        for abort in (False, True):
            async with many(len(halves) * 4, secured_peer) as peers:
                for number, peer in enumerate(peers):
                    await peer.say(halves[number % len(halves)])
                    if abort:
                        peer.carrier.abort()
