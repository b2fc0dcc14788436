"""Telling a client how far a long operation is, no oftener than it takes it and an eye can follow."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import trio

from peershelf.node.operations.request import Record, Request
from peershelf.node.tasks import single_error

_BETWEEN_TWO = 0.1
"""Seconds from one word to the next."""

T = TypeVar("T")


@asynccontextmanager
async def telling(
    request: Request, send: Callable[[Record], Awaitable[None]], record: Callable[[T], Record]
) -> AsyncIterator[Callable[[T], None] | None]:
    """With the option `progress`, what takes the state of things and sends the latest; else None.

    It may be called by the task that waits here, at any rate: states that nobody has time for are dropped.
    """
    if not request.flag("progress"):
        yield None
        return
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
            await send(record(latest[0]))
            await trio.sleep(_BETWEEN_TWO)

    with single_error():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(pass_on)
            yield tell
            nursery.cancel_scope.cancel()
