"""The connection between two nodes of the fake network."""

from __future__ import annotations

import trio

DEFAULT_WINDOW = 262_144
"""Bytes that a channel takes before its reader has read any."""


class Link:
    """Delays what passes by its latency (seconds), and holds it while cut.

    Each stream's direction has at most `window` bytes on their way: over a long link, that bounds its speed.
    """

    def __init__(self, latency: float, window: int = DEFAULT_WINDOW) -> None:
        self.latency = latency
        self.window = window
        self._passable = trio.Event()
        self._passable.set()

    def cut(self) -> None:
        """Nothing passes any more, and nobody is told, until mend()."""
        self._passable = trio.Event()

    def mend(self) -> None:
        """What was held passes again."""
        self._passable.set()

    async def pass_through(self) -> None:
        """Return once the link is whole, at once if it is."""
        if not self._passable.is_set():
            await self._passable.wait()
