"""Waking a task that looks for itself what there is to do."""

from __future__ import annotations

import trio


class Wakeup:
    """Remembers that it was set until somebody waits; setting it twice is as good as once."""

    def __init__(self) -> None:
        self._event = trio.Event()

    def set(self) -> None:
        """Wake who waits, or who waits next."""
        self._event.set()

    async def wait(self) -> None:
        """Wait until set, which may have been before, and be ready to be set again."""
        await self._event.wait()
        self._event = trio.Event()
