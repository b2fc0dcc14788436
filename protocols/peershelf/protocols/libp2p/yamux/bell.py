"""Waking tasks that look for themselves what has changed."""

from __future__ import annotations

import trio


class Bell:
    """Wakes everybody who waits when it rings, and remembers nothing: look first, wait then."""

    def __init__(self) -> None:
        self._event: trio.Event | None = None

    def ring(self) -> None:
        """Wake all who wait."""
        if self._event is not None:
            self._event.set()
            self._event = None

    async def wait(self) -> None:
        """Wait for the next ring."""
        if self._event is None:
            self._event = trio.Event()
        await self._event.wait()
