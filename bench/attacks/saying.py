"""Messages of bitswap that attackers make by hand, and say over and over."""

from __future__ import annotations

from bench.attacks.attack import Pace, Target, tool
from peershelf.protocols.bitswap.messages import Message


def encoded(message: Message) -> bytes:
    """The bytes of a message, its length before it."""
    data: bytes = tool("handmade").bitswap(message)
    return data


async def over_and_over(target: Target, pace: Pace, data: bytes, events: int) -> None:
    """Write the same, which counts for so many events, for ever; what is answered is read."""
    async with target.stranger() as peer:
        while True:
            await pace.due(events)
            peer.messages.clear()
            await peer.write(data)
