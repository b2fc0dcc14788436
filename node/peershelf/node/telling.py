"""Telling of the state of something long, no oftener than whoever is told takes it and an eye can follow."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import trio

from peershelf.node.tasks import single_error

BETWEEN_TWO = 0.1
"""Seconds from one word to the next."""

T = TypeVar("T")


@asynccontextmanager
async def telling_latest(send: Callable[[T], Awaitable[None]]) -> AsyncIterator[Callable[[T], None]]:
    """Have what takes a state and sends the latest.

    It may be called by the task that waits here, at any rate: states that nobody has time for are dropped.
    """
    latest: list[T] = []
    changed = trio.Event()

    def tell(state: T) -> None:
        latest[:] = [state]
        changed.set()

    async def pass_on() -> None:
        nonlocal changed
        while True:
            await changed.wait()
            changed = trio.Event()
            await send(latest[0])
            await trio.sleep(BETWEEN_TWO)

    with single_error():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(pass_on)
            yield tell
            nursery.cancel_scope.cancel()
