"""The connection between two nodes of the fake network."""

from __future__ import annotations

import trio


class Link:
    """Delays what passes by its latency (seconds), and holds it while cut."""

    def __init__(self, latency: float) -> None:
        self.latency = latency
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
