"""Several ways to one thing, tried side by side: the first that succeeds wins.

Spec: https://www.rfc-editor.org/rfc/rfc8305 (Happy Eyeballs)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Generic, TypeVar

import trio

T = TypeVar("T")


class Race(Generic[T]):
    """Starts contenders one by one: the next as the one before fails, or `head_start` seconds after it.

    Args:
        discard: gets rid of what a contender brought home too late. Must not wait.
    """

    def __init__(self, head_start: float, discard: Callable[[T], None]) -> None:
        self._head_start = head_start
        self._discard = discard
        self._won: list[T] = []

    async def run(self, contenders: Iterable[Callable[[], Awaitable[T | None]]]) -> T | None:
        """Return what the first contender to succeed returned; None when all returned None.

        The others are cancelled, and have ended when this returns. Run it once.
        """
        try:
            async with trio.open_nursery() as nursery:
                for contender in contenders:
                    failed = trio.Event()
                    nursery.start_soon(self._compete, contender, failed, nursery.cancel_scope)
                    with trio.move_on_after(self._head_start):
                        await failed.wait()
            return self._won.pop() if self._won else None
        finally:
            for late in self._won:
                self._discard(late)

    async def _compete(
        self, contender: Callable[[], Awaitable[T | None]], failed: trio.Event, others: trio.CancelScope
    ) -> None:
        result = await contender()
        if result is None:
            failed.set()
        elif self._won:
            self._discard(result)
        else:
            self._won.append(result)
            others.cancel()
