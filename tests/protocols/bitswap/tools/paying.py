"""What peers pay for in virtual time: a thread that takes what a test says, and when all is dealt with."""

from __future__ import annotations

from named import cid_of

from peershelf.protocols.bitswap.messages import Message, WantEntry


class Thread:
    """Uses the CPU for nothing but what is added to `used`, in seconds."""

    def __init__(self) -> None:
        self.used = 0.0

    def __call__(self) -> float:
        return self.used


async def all_taken(stranger) -> None:
    """Wait until the node has dealt with all that the stranger sent."""
    await stranger.say(Message(wants=(WantEntry(cid_of(1), send_dont_have=True),)))
    await stranger.until(lambda: stranger.presences)
